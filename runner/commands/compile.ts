import { join, relative } from "node:path";
import { selectNodes } from "../compile/select.ts";
import { writeCompiled } from "../status/artifacts.ts";
import { countOf } from "../status/format.ts";
import { checkLint } from "./check-lint.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { prepare } from "./prepare.ts";

/** Compiles everything into target/compiled and prints the SQL of what was selected. Touches no database. */
export async function compile(
    options: CommonOptions & SelectionOptions,
    environment: Environment,
): Promise<void> {
    const { project, compiled, targetDirectory } = await prepare(options, environment);
    const chosen = options.select.length > 0 ? selectNodes(compiled, options) : new Set<string>();
    await writeCompiled(project, compiled, targetDirectory);
    const nodes = [...compiled.nodes.values()];
    const shown = nodes.filter((node) => chosen.has(node.name) && node.kind !== "seed" && node.sql !== "");
    const { data, note } = environment.output;
    if (options.json) {
        data(
            JSON.stringify(
                shown.map((node) => ({
                    name: node.name,
                    file: node.file,
                    sql: "sql" in node ? node.sql : "",
                })),
                null,
                2,
            ),
        );
    } else {
        for (const node of shown) data(`-- ${node.file}\n${"sql" in node ? node.sql : ""}`);
    }
    checkLint(project, compiled, note);
    for (const warning of compiled.warnings) note(`WARN ${warning}`);
    const models = nodes.filter(({ kind }) => kind === "model").length;
    const assertions = nodes.filter(({ kind }) => kind === "assertion").length;
    const folder = relative(process.cwd(), join(targetDirectory, "compiled")) || ".";
    note(`Compiled ${countOf(models, "model")} and ${countOf(assertions, "assertion")} into ${folder}`);
}

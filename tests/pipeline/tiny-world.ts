import { fileURLToPath } from "node:url";
import { compileProject } from "../../runner/compile/compile-project.ts";
import type { CompiledProject } from "../../runner/compile/compiled.ts";
import { selectNodes } from "../../runner/compile/select.ts";
import { quoteName, quoteText } from "../../runner/names.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withMemoryWarehouse } from "../runner/warehouse-fixture.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

type Row = Readonly<Record<string, string | number | null>>;

/** Rows of the three sources; columns that are left out are NULL. */
export interface TinyWorld {
    readonly races?: readonly Row[];
    readonly race_results?: readonly Row[];
    readonly sectional_times?: readonly Row[];
}

/** Builds the selected models of this very project, and what they need, from a handful of rows. */
export async function withTinyWorld<T>(
    world: TinyWorld,
    select: readonly string[],
    callback: (warehouse: Warehouse, compiled: CompiledProject) => Promise<T>,
    vars: Readonly<Record<string, number>> = {},
): Promise<T> {
    const project = await loadProject({ root, env: {}, target: "files", vars });
    const compiled = compileProject(project);
    return withMemoryWarehouse(async (warehouse) => {
        await createSources(warehouse, project, world);
        const results = await buildNodes({
            warehouse,
            project,
            compiled,
            names: selectNodes(compiled, { select }),
            report: () => {},
            signal: new AbortController().signal,
        });
        const failed = results.filter(({ status }) => status !== "success");
        if (failed.length > 0) throw new Error(failed.map(({ message }) => message).join("\n"));
        return callback(warehouse, compiled);
    });
}

async function createSources(warehouse: Warehouse, project: Project, world: TinyWorld): Promise<void> {
    await warehouse.execute("create schema if not exists sources");
    for (const source of project.sources) {
        const table = `sources.${quoteName(source.name)}`;
        const columns = source.columns.map(({ name, type }) => `${quoteName(name)} ${type}`);
        await warehouse.execute(`create table ${table} (${columns.join(", ")})`);
        for (const row of world[source.name as keyof TinyWorld] ?? []) {
            const names = Object.keys(row).map(quoteName);
            const values = Object.values(row).map((value) =>
                typeof value === "string" ? quoteText(value) : String(value),
            );
            await warehouse.execute(
                `insert into ${table} (${names.join(", ")}) values (${values.join(", ")})`,
            );
        }
    }
}

import type { CompiledNode } from "../compile/compiled.ts";
import { assertionsFor } from "../compile/plan.ts";
import { selectNodes } from "../compile/select.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import { formatTable } from "../status/format.ts";
import { listTests } from "../testing/list-tests.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { prepare } from "./prepare.ts";

export interface LsOptions extends CommonOptions, SelectionOptions {
    /** Only nodes of this kind. */
    readonly type?: ListedKind;
}

export const listedKinds = ["source", "seed", "model", "test"] as const;
export type ListedKind = (typeof listedKinds)[number];

interface Listed {
    readonly name: string;
    readonly kind: ListedKind;
    /** Materialization, test type. */
    readonly detail: string;
    readonly file: string;
    readonly tags: readonly string[];
    readonly dependsOn: readonly string[];
    readonly description: string;
}

/** Lists sources, seeds, models and tests in build order. Touches no database. */
export async function ls(options: LsOptions, environment: Environment): Promise<readonly Listed[]> {
    const { project, compiled } = await prepare(options, environment);
    const chosen = options.select.length > 0 || options.exclude.length > 0;
    const names = selectNodes(compiled, options);
    const listed: Listed[] = [];
    if (!chosen) {
        for (const { name, identifier, file, description } of project.sources) {
            listed.push({
                name,
                kind: "source",
                detail: identifier,
                file,
                tags: [],
                dependsOn: [],
                description,
            });
        }
    }
    for (const name of compiled.order) {
        const node = compiled.nodes.get(name);
        if (node && names.has(name)) listed.push(describeNode(node));
    }
    const tested = new Set([...names, ...assertionsFor(compiled, names)]);
    for (const { name, node, type } of listTests(compiled)) {
        const owner = compiled.nodes.get(node);
        if (owner && tested.has(node))
            listed.push({ ...describeNode(owner), name, kind: "test", detail: type });
    }
    const shown = options.type ? listed.filter(({ kind }) => kind === options.type) : listed;
    environment.output.data(
        options.json ? JSON.stringify(toSnakeCase(shown), null, 2) : printed(shown, options.type),
    );
    return shown;
}

function describeNode(node: CompiledNode): Listed {
    const { name, file, refs, sources } = node;
    const dependsOn = [...sources.map((source) => `source:${source}`), ...refs];
    if (node.kind === "assertion") {
        return {
            name,
            kind: "test",
            detail: "assertion",
            file,
            tags: node.tags,
            dependsOn,
            description: node.description,
        };
    }
    const { materialized, tags, description } = node.config;
    const detail = node.kind === "seed" ? "csv" : materialized;
    return { name, kind: node.kind, detail, file, tags, dependsOn, description };
}

/** Without `--type` tests are only counted by model, so that the list stays readable. */
function printed(listed: readonly Listed[], type: ListedKind | undefined): string {
    const shown = type === "test" ? listed : listed.filter(({ kind }) => kind !== "test");
    const tests = listed.length - shown.length;
    const table = formatTable(
        ["kind", "name", "as", "file", "tags"],
        shown.map(({ kind, name, detail, file, tags }) => [kind, name, detail, file, tags.join(" ")]),
    );
    return tests > 0 ? `${table}\n\n${tests} tests: list them with --type test` : table;
}

import type { ModelConfig, Project } from "../../project/project.ts";
import type { CompiledProject } from "../compiled.ts";
import type { Keys } from "./row-keys.ts";

/** What the project declares to identify rows, by the relation's name in compiled SQL. */
export function declaredKeys(project: Project, compiled: CompiledProject): ReadonlyMap<string, Keys> {
    const keys = new Map<string, Keys>();
    for (const { name, primaryKey } of project.sources) keys.set(`sources.${name}`, keysOf([primaryKey]));
    for (const node of compiled.nodes.values()) {
        if (node.kind !== "assertion") keys.set(`main.${node.name}`, configuredKeys(node.config));
    }
    return keys;
}

function configuredKeys({ grain, columns, tests, publish }: ModelConfig): Keys {
    const combinations = tests.flatMap((test) =>
        test.type === "unique_combination" && test.columns ? [test.columns] : [],
    );
    const unique = columns.filter((column) => column.tests.some(({ type }) => type === "unique"));
    return keysOf([
        grain,
        ...combinations,
        ...unique.map(({ name }) => [name]),
        ...(publish ? [publish.primaryKey] : []),
    ]);
}

function keysOf(lists: readonly (readonly string[])[]): Keys {
    return lists.filter((key) => key.length > 0);
}

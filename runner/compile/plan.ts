import type { CompiledNode, CompiledProject } from "./compiled.ts";

/** One node to be built. */
export interface PlanStep {
    readonly name: string;
    /** Steps of the same plan that must have ended before: read directly, or through nodes that are not steps. */
    readonly blockers: readonly string[];
}

/**
 * What to build of a selection, parents first. Ephemeral models have no step, since they are in the SQL of
 * their readers, and neither have the target's views; but what waits for what is seen through them, and
 * through nodes that were not selected: a view that stands still reads tables that do not.
 */
export function planBuild(compiled: CompiledProject, selected: ReadonlySet<string>): readonly PlanStep[] {
    const steps = new Set(
        compiled.order.filter((name) => selected.has(name) && isBuilt(compiled.nodes.get(name)!)),
    );
    const blockersOf = new Map<string, ReadonlySet<string>>();
    for (const name of compiled.order) {
        const blockers = new Set<string>();
        for (const ref of compiled.nodes.get(name)!.refs) {
            if (steps.has(ref)) blockers.add(ref);
            else for (const blocker of blockersOf.get(ref) ?? []) blockers.add(blocker);
        }
        blockersOf.set(name, blockers);
    }
    return [...steps].map((name) => ({ name, blockers: [...blockersOf.get(name)!].sort() }));
}

function isBuilt(node: CompiledNode): boolean {
    if (node.kind !== "model") return node.kind === "seed";
    return (
        node.config.materialized !== "ephemeral" && node.config.materialized !== "postgres_materialized_view"
    );
}

/** Assertions that belong to a selection: named in it, or reading one of its nodes. In order of name. */
export function assertionsFor(compiled: CompiledProject, selected: ReadonlySet<string>): readonly string[] {
    return [...compiled.nodes.values()]
        .filter((node) => node.kind === "assertion")
        .filter(({ name, refs }) => selected.has(name) || refs.some((ref) => selected.has(ref)))
        .map(({ name }) => name)
        .sort();
}

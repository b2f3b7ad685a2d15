import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
import { graphOf, reach, sourceKey } from "../../compile/graph.ts";
import type { Source } from "../../project/project.ts";
import { clockedSources, hasOutcomes } from "./clocks.ts";
import type { Perturbation } from "./perturbation.ts";

/** What is built again for a replay, and what of it is compared. */
export interface ReplayPlan {
    /** Sources that differ from the full build's. */
    readonly sources: ReadonlySet<string>;
    /** Models to be compared, in dependency order. */
    readonly audited: readonly CompiledModel[];
    /** Models that are made again, in dependency order; what else they read is taken from the full build. */
    readonly rebuilt: readonly CompiledModel[];
    /** Models of `rebuilt` that nobody reads: compared straight from their query, stored nowhere. */
    readonly leaves: ReadonlySet<string>;
}

/**
 * Models with `as_of` that are made from what the perturbation changes, and what they need of it. The others cannot
 * differ: they are made from the same rows by the same queries.
 */
export function planReplay(
    compiled: CompiledProject,
    sources: readonly Source[],
    perturbation: Perturbation,
    names?: ReadonlySet<string>,
): ReplayPlan {
    const graph = graphOf(compiled);
    const changed = changedSources(sources, perturbation);
    const touched = reach(changed.map(sourceKey), graph.children);
    const audited = auditedModels(compiled).filter(
        ({ name }) => touched.has(name) && (!names || names.has(name)),
    );
    const partners = audited.flatMap(({ config }) => config.movesFrom ?? []);
    const wanted = [...audited.map(({ name }) => name), ...partners];
    const needed = new Set([...wanted, ...reach(wanted, graph.parents)]);
    const rebuilt = modelsOf(compiled).filter(({ name }) => needed.has(name) && touched.has(name));
    const leaves = rebuilt.filter(
        ({ name, language }) => language === "sql" && !rebuilt.some(({ refs }) => refs.includes(name)),
    );
    return {
        sources: new Set(changed),
        audited,
        rebuilt,
        leaves: new Set(leaves.map(({ name }) => name)),
    };
}

/** Models that promise to know nothing of their day; an ephemeral one is part of its readers. */
export function auditedModels(compiled: CompiledProject): readonly CompiledModel[] {
    return modelsOf(compiled).filter(
        ({ config }) =>
            config.asOf !== undefined &&
            config.materialized !== "ephemeral" &&
            config.materialized !== "postgres_materialized_view",
    );
}

function modelsOf({ order, nodes }: CompiledProject): readonly CompiledModel[] {
    return order
        .map((name) => nodes.get(name))
        .filter((node) => node?.kind === "model")
        .filter((node) => node.config.materialized !== "postgres_materialized_view");
}

function changedSources(sources: readonly Source[], perturbation: Perturbation): readonly string[] {
    if (perturbation === "reordered") return sources.map(({ name }) => name);
    const clocked = clockedSources(sources).map(({ source }) => source);
    // With no event taken away, only sources with outcomes or a time of writing change.
    const changed =
        perturbation === "removed"
            ? clocked.filter((source) => hasOutcomes(source) || source.columns.some(({ version }) => version))
            : clocked;
    return changed.map(({ name }) => name);
}

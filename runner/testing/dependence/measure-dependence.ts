import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
import { graphOf, reach, sourceKey } from "../../compile/graph.ts";
import { ConfigError, QueryError } from "../../errors.ts";
import { quoteName } from "../../names.ts";
import type { Project } from "../../project/project.ts";
import { buildNodes } from "../../warehouse/build.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { rebuildModels } from "../replay/rebuild-models.ts";
import type { ReplayPlan } from "../replay/replay-plan.ts";
import {
    compareScopes,
    findExample,
    type MoveExample,
    type Moves,
    type ScopeQuery,
} from "./compare-scopes.ts";
import { forbiddenFlow, type Scope, scopes } from "./flows.ts";
import { perturbedSource } from "./perturb-column.ts";
import { listProbes, type Probe, type Skipped } from "./probes.ts";
import { type Sample, sampleSources } from "./sample-sources.ts";
import { type Frame, framesOf, type Touched, touchEvents } from "./touch-events.ts";

export interface DependenceOptions {
    readonly project: Project;
    readonly compiled: CompiledProject;
    /** Holds the sources; read, never written. */
    readonly warehouse: Warehouse;
    /** Models to measure: with `as_of` and a grain. */
    readonly models: readonly CompiledModel[];
    /** Events of the sample that is built. */
    readonly events: number;
    /** The day on which sources are changed, ISO. Default: a busy one of the sample. */
    readonly day?: string;
    /** Names of source columns to change, as `source.column`. Default: all. */
    readonly origins?: readonly string[];
    readonly signal: AbortSignal;
    readonly onProbe?: (name: string, done: number, total: number) => void;
}

/** A column that moved where its tier says it must not. */
export interface Violation {
    readonly model: string;
    readonly column: string;
    readonly tier: string;
    readonly origin: string;
    readonly scope: Scope;
    readonly rows: number;
    readonly why: string;
    readonly example?: MoveExample;
}

export interface ColumnDependence {
    readonly column: string;
    readonly tier?: string;
    /** Origins by scope, in the order of sources. */
    readonly dependsOn: Readonly<Record<Scope, readonly string[]>>;
}

export interface ModelDependence extends Touched {
    readonly model: string;
    readonly columns: readonly ColumnDependence[];
}

export interface Dependence {
    readonly sample?: Sample;
    readonly models: readonly ModelDependence[];
    readonly probes: readonly string[];
    readonly skipped: readonly Skipped[];
    readonly violations: readonly Violation[];
    readonly seconds: number;
}

/** Probes side by side: small builds leave DuckDB's threads idle between queries. */
const concurrency = 2;

/**
 * From which source columns each column moves, and where: a sample of the sources is built, then once more for every
 * source column with other values in it, in some events of one day, and the two are compared row by row.
 */
export async function measureDependence(options: DependenceOptions): Promise<Dependence> {
    const { project, warehouse, models, events } = options;
    const started = performance.now();
    return warehouse.scratch(async (full, base) => {
        const sample = await sampleSources(full, base, project.sources, events);
        await buildSample(full, options);
        const measured: FrameDependence[] = [];
        for (const frame of framesOf(models)) measured.push(await measureFrame(full, frame, options));
        return {
            ...(sample && { sample }),
            models: measured.flatMap((one) => one.models),
            probes: [...new Set(measured.flatMap((one) => one.probes))],
            skipped: measured[0]?.skipped ?? [],
            violations: measured.flatMap((one) => one.violations),
            seconds: (performance.now() - started) / 1000,
        };
    });
}

async function buildSample(
    full: Warehouse,
    { project, compiled, models, signal }: DependenceOptions,
): Promise<void> {
    const names = new Set(models.map(({ name }) => name));
    for (const name of reach(names, graphOf(compiled).parents)) if (compiled.nodes.has(name)) names.add(name);
    const results = await buildNodes({
        warehouse: full,
        project,
        compiled,
        names,
        report: () => undefined,
        signal,
    });
    const failed = results.filter(({ status }) => status !== "success");
    signal.throwIfAborted();
    if (failed.length > 0) {
        throw new QueryError(
            `The sample cannot be built:\n${failed.map(({ name, message }) => `${name}: ${message}`).join("\n")}`,
            { engine: "duckdb" },
        );
    }
}

interface FrameDependence {
    readonly models: readonly ModelDependence[];
    readonly probes: readonly string[];
    readonly skipped: readonly Skipped[];
    readonly violations: readonly Violation[];
}

async function measureFrame(
    full: Warehouse,
    frame: Frame,
    options: DependenceOptions,
): Promise<FrameDependence> {
    const { project, day, origins, signal, onProbe } = options;
    const touched = await touchEvents(full, frame, day);
    const { probes: all, skipped } = listProbes(project.sources, frame);
    const probes = chooseProbes(all, origins);
    const moves = new Map<string, Map<string, Moves>>();
    const violations: Violation[] = [];
    const waiting = [...probes];
    let done = 0;
    const work = async () => {
        for (let probe = waiting.shift(); probe; probe = waiting.shift()) {
            signal.throwIfAborted();
            const found = await runProbe(full, frame, probe, touched.day, options);
            moves.set(probe.origin.name, found.moves);
            violations.push(...found.violations);
            onProbe?.(probe.origin.name, ++done, probes.length);
        }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    const names = probes.map(({ origin }) => origin.name);
    return {
        probes: names,
        skipped,
        violations: violations.sort(
            (one, other) =>
                names.indexOf(one.origin) - names.indexOf(other.origin) ||
                one.column.localeCompare(other.column),
        ),
        models: frame.models.map((model) => ({
            model: model.name,
            ...touched,
            columns: model.config.columns.map(({ name, tier }) => ({
                column: name,
                ...(tier !== undefined && { tier }),
                dependsOn: byScope((scope) =>
                    names.filter((origin) => moves.get(origin)?.get(model.name)?.get(name)?.[scope]),
                ),
            })),
        })),
    };
}

function byScope<Value>(choose: (scope: Scope) => Value): Readonly<Record<Scope, Value>> {
    const entries = scopes.map((scope) => [scope, choose(scope)] as const);
    return Object.fromEntries(entries) as Record<Scope, Value>;
}

function chooseProbes(probes: readonly Probe[], origins: readonly string[] | undefined): readonly Probe[] {
    if (!origins) return probes;
    const chosen = probes.filter(({ origin, source, columns }) =>
        [origin.name, ...columns.map(({ name }) => `${source.name}.${name}`)].some((name) =>
            origins.includes(name),
        ),
    );
    if (chosen.length > 0) return chosen;
    throw new ConfigError(
        `No source column that can be changed is named ${origins.join(", ")}; there are ${probes.map(({ origin }) => origin.name).join(", ")}.`,
    );
}

async function runProbe(
    full: Warehouse,
    frame: Frame,
    probe: Probe,
    day: string,
    { project, compiled, signal }: DependenceOptions,
): Promise<{ readonly moves: Map<string, Moves>; readonly violations: readonly Violation[] }> {
    const moves = new Map<string, Moves>();
    const violations: Violation[] = [];
    await full.scratch(async (scratch, catalog) => {
        await scratch.execute("create schema sources");
        for (const { name } of project.sources) {
            const isChanged = name === probe.source.name;
            const query = isChanged
                ? perturbedSource(probe, frame, catalog)
                : `select * from ${catalog}.sources.${quoteName(name)}`;
            await scratch.execute(
                `create ${isChanged ? "table" : "view"} sources.${quoteName(name)} as ${query}`,
            );
        }
        const plan = planProbe(compiled, frame.models, probe.source.name);
        const failures = await rebuildModels(
            { scratch, base: catalog, project, compiled, plan, signal },
            async (model, relationOf) => {
                const { columns } = model.config;
                const query: ScopeQuery = {
                    probe,
                    frame,
                    model,
                    columns: columns.map(({ name }) => name),
                    day,
                    full: catalog,
                    relation: relationOf(model.name),
                };
                const found = await compareScopes(scratch, query);
                moves.set(model.name, found);
                for (const { name, tier } of columns) {
                    for (const [scope, rows] of Object.entries(found.get(name) ?? {})) {
                        const why = tier && forbiddenFlow(tier, probe.origin, scope as Scope);
                        if (!why) continue;
                        const example = await findExample(scratch, query, name, scope as Scope);
                        violations.push({
                            model: model.name,
                            column: name,
                            tier,
                            origin: probe.origin.name,
                            scope: scope as Scope,
                            rows,
                            why,
                            ...(example && { example }),
                        });
                    }
                }
            },
        );
        if (failures.size > 0) {
            const told = [...failures].map(([name, message]) => `${name}: ${message}`).join("\n");
            throw new QueryError(
                `With other values in ${probe.origin.name} the sample cannot be built:\n${told}`,
                {
                    engine: "duckdb",
                },
            );
        }
    });
    return { moves, violations };
}

/** What the source flows into, as far as the measured models need it. */
function planProbe(compiled: CompiledProject, models: readonly CompiledModel[], source: string): ReplayPlan {
    const graph = graphOf(compiled);
    const touched = reach([sourceKey(source)], graph.children);
    const audited = models.filter(({ name }) => touched.has(name));
    const wanted = audited.flatMap(({ name, config }) => [name, ...(config.movesFrom ?? [])].flat());
    const needed = new Set([...wanted, ...reach(wanted, graph.parents)]);
    const rebuilt = compiled.order
        .map((name) => compiled.nodes.get(name))
        .filter((node) => node?.kind === "model")
        .filter(({ name }) => needed.has(name) && touched.has(name));
    const leaves = rebuilt.filter(
        ({ name, language }) => language === "sql" && !rebuilt.some(({ refs }) => refs.includes(name)),
    );
    return {
        sources: new Set([source]),
        audited,
        rebuilt,
        leaves: new Set(leaves.map(({ name }) => name)),
    };
}

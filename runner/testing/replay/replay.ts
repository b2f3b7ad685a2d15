import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
import { graphOf, reach } from "../../compile/graph.ts";
import { quoteName } from "../../names.ts";
import type { Project } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { differingDays, FullSide, ReplayedSide } from "./checksums.ts";
import { clockedSources } from "./clocks.ts";
import { type Compared, comparedRows } from "./compared-rows.ts";
import { createWorld } from "./create-world.ts";
import { type Differences, findDifferences } from "./differences.ts";
import type { Perturbation } from "./perturbation.ts";
import { rebuildModels } from "./rebuild-models.ts";
import { planReplay } from "./replay-plan.ts";
import { type LeakOrigin, traceLeak } from "./trace-leak.ts";
import { withInterrupt } from "./with-interrupt.ts";

export interface ReplayOptions {
    readonly project: Project;
    readonly compiled: CompiledProject;
    /** The full build with its sources, such as the last good warehouse. It is read, and never written. */
    readonly warehouse: Warehouse;
    /** T, ISO: what is known on its morning is all that rows up to and including it may rest on. */
    readonly day: string;
    readonly perturbation: Perturbation;
    /** The same seed changes the sources the same way. */
    readonly seed: number;
    /** Models to compare. Default: all with `as_of`. */
    readonly names?: ReadonlySet<string>;
    readonly signal: AbortSignal;
    /** Seconds to look for the event that leaked into the first models that differ. Default 0: not at all. */
    readonly traceSeconds?: number;
    /** Models that need not be looked into, such as those traced on an earlier day. */
    readonly untraced?: ReadonlySet<string>;
    /** What the full build holds, shared by replays of several days. */
    readonly fullSide?: FullSide;
    /** Told of each model as soon as it was compared. */
    readonly onModel?: (model: ModelReplay) => void;
}

/** What became of one model on one day: it passes when nothing differs and nothing failed. */
export interface ModelReplay extends Differences {
    readonly model: string;
    /** Its file, relative to the project. */
    readonly file: string;
    /** Rows and values compared. */
    readonly rows: number;
    readonly cells: number;
    /** It could not be made on that morning, or is of other columns then. */
    readonly failure?: string;
    /** Where the example's difference came from, if it was looked for and found. */
    readonly origin?: LeakOrigin;
}

export interface Replay {
    readonly day: string;
    readonly perturbation: Perturbation;
    readonly seed: number;
    readonly seconds: number;
    /** The part of the history that was replayed, some rows of its events or, of `whole`, all; absent: all of it. */
    readonly slice?: { readonly events: number; readonly whole: number; readonly ofEvents: number };
    /** Spent on looking for the events that leaked. */
    readonly traceSeconds: number;
    /** In dependency order: the first that differs is where a leak comes in. */
    readonly models: readonly ModelReplay[];
    /** No model differs, and all could be made. */
    readonly passed: boolean;
}

/** Models whose origin is looked for. */
const tracedModels = 5;

/**
 * Replays one day: changes what was not known on its morning, makes the models again in memory, and compares every
 * row of every model with `as_of` up to and including the day, column by column, with the full build's.
 */
export async function replay(options: ReplayOptions): Promise<Replay> {
    const { project, compiled, warehouse, day, perturbation, seed, names, signal, onModel } = options;
    const started = performance.now();
    const plan = planReplay(compiled, project.sources, perturbation, names);
    const fullSide = options.fullSide ?? new FullSide(warehouse, [day]);
    const found = new Map<string, ModelReplay>();
    const tell = (result: ModelReplay) => {
        found.set(result.model, result);
        onModel?.(result);
    };
    await withInterrupt(warehouse, signal, () =>
        warehouse.scratch((scratch, base) =>
            withInterrupt(scratch, signal, async () => {
                await createWorld(scratch, { ...options, sources: project.sources, base });
                const replayedSide = new ReplayedSide(scratch, day);
                const failures = await rebuildModels(
                    { scratch, base, project, compiled, plan, morning: day, signal },
                    async (model, relationOf) => {
                        tell(
                            await compareModel({
                                ...options,
                                fullSide,
                                replayedSide,
                                scratch,
                                base,
                                model,
                                relationOf,
                            }),
                        );
                    },
                );
                for (const { name, file } of plan.rebuilt) {
                    const failure = failures.get(name);
                    if (failure !== undefined && !found.has(name))
                        tell({ ...nothing, model: name, file, failure });
                }
            }),
        ),
    );
    const models = plan.rebuilt.map(({ name }) => found.get(name)).filter((model) => model !== undefined);
    const seconds = (performance.now() - started) / 1000;
    const traced = await traceFirst(options, models);
    return {
        day,
        perturbation,
        seed,
        seconds,
        traceSeconds: (performance.now() - started) / 1000 - seconds,
        models: traced,
        passed: traced.every(isClean),
    };
}

const nothing = { rows: 0, cells: 0, columns: [], missing: 0, extra: 0 } as const;

export function isClean({ columns, missing, extra, failure }: ModelReplay): boolean {
    return columns.length === 0 && missing === 0 && extra === 0 && failure === undefined;
}

interface CompareOptions extends ReplayOptions {
    readonly fullSide: FullSide;
    readonly replayedSide: ReplayedSide;
    readonly scratch: Warehouse;
    readonly base: string;
    readonly model: CompiledModel;
    readonly relationOf: (model: string) => string;
}

async function compareModel(options: CompareOptions): Promise<ModelReplay> {
    const { project, compiled, fullSide, replayedSide, scratch, base, model, relationOf, day } = options;
    const { name, file } = model;
    const columns = await fullSide.columns(name);
    const replayed = await scratch.describe(`select * from ${relationOf(name)}`);
    const shape = (list: typeof columns) => list.map(({ name, type }) => `${name} ${type}`).join(", ");
    if (shape(columns) !== shape(replayed)) {
        const failure = `its columns depend on the data: in the full build ${shape(columns)}; replayed ${shape(replayed)}`;
        return { ...nothing, model: name, file, failure };
    }
    const compared = await comparedRows(model, compiled, (one) => fullSide.columns(one));
    // One after the other: a scan of hundreds of columns holds a block of each.
    const full = await fullSide.read(compared, day);
    const again = await replayedSide.read(compared, relationOf);
    const days = differingDays(full, again);
    const differences =
        days.length === 0
            ? nothing
            : await findDifferences({
                  scratch,
                  compared,
                  eventKeys: clockedSources(project.sources).flatMap(({ group }) => group.keys),
                  t: day,
                  days,
                  fullOf:
                      model.config.materialized === "view"
                          ? await keepRows(options)
                          : (one) => `${base}.main.${quoteName(one)}`,
                  replayedOf: await keepReplayed(options),
              });
    return { ...nothing, ...differences, ...sizeOf(full, compared, day), model: name, file };
}

/** A view's rows as the full build shows them: read from the scratch database, it would ask the scratch's clock. */
async function keepRows({ warehouse, scratch, base, model }: CompareOptions) {
    const [row] = await scratch.rows("select current_database() as name");
    const kept = `${quoteName(String(row!.name))}.replay.${quoteName(`full_${model.name}`)}`;
    await warehouse.execute(`create table ${kept} as select * from main.${quoteName(model.name)}`);
    return (one: string) => (one === model.name ? kept : `${base}.main.${quoteName(one)}`);
}

/** What differs is read several times: a model that is compared straight from its query is stored for it. */
async function keepReplayed({ scratch, model, relationOf }: CompareOptions) {
    const stored = relationOf(model.name);
    if (!stored.startsWith("(")) return relationOf;
    const kept = `replay.${quoteName(`again_${model.name}`)}`;
    await scratch.execute(`create table ${kept} as select * from ${stored}`);
    return (one: string) => (one === model.name ? kept : relationOf(one));
}

function sizeOf(full: ReadonlyMap<string, { readonly rows: number }>, compared: Compared, day: string) {
    let [rows, cells] = [0, 0];
    for (const [one, { rows: count }] of full) {
        rows += count;
        cells += count * (one === day ? compared.onDay : compared.before).length;
    }
    return { rows, cells };
}

async function traceFirst(
    options: ReplayOptions,
    models: readonly ModelReplay[],
): Promise<readonly ModelReplay[]> {
    const { compiled, traceSeconds = 0, untraced } = options;
    const deadline = performance.now() + 1000 * traceSeconds;
    const { children } = graphOf(compiled);
    const origins = new Map<string, LeakOrigin>();
    for (const { model, example } of models) {
        if (!example || untraced?.has(model) || origins.size === tracedModels) continue;
        // What is made from a model that leaks differs with it.
        if (reach(origins.keys(), children).has(model)) continue;
        if (performance.now() >= deadline) break;
        const origin = await traceLeak({ ...options, model, example: example!, deadline });
        if (origin) origins.set(model, origin);
    }
    return models.map((model) => {
        const origin = origins.get(model.model);
        return origin ? { ...model, origin } : model;
    });
}

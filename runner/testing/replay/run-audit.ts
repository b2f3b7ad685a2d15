import type { CompiledProject } from "../../compile/compiled.ts";
import { QueryError } from "../../errors.ts";
import { isMemoryShort } from "../../project/memory-limit.ts";
import type { Project } from "../../project/project.ts";
import { scrub } from "../../secrets.ts";
import type { NodeResult, Report } from "../../status/events.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { type Audit, declarationsOf } from "./audit.ts";
import { FullSide } from "./checksums.ts";
import { describeLeaks } from "./describe-leak.ts";
import type { PlannedReplay } from "./plan-audit.ts";
import { type AuditJob, planJobs } from "./plan-jobs.ts";
import { type Replay, type ReplayOptions, replay } from "./replay.ts";
import { auditedModels } from "./replay-plan.ts";
import { type Coverage, type DayCoverage, dayCoverage, mergeCoverages } from "./slices/coverage.ts";
import { type HistorySlice, withHistorySlice } from "./slices/history-slice.ts";
import { longCounts } from "./slices/long-counts.ts";
import { sliceDepth } from "./slices/slice-rows.ts";

export interface AuditOptions {
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly warehouse: Warehouse;
    readonly plan: readonly PlannedReplay[];
    /** Events in a slice of the history; absent: every day is replayed on the whole. */
    readonly slice?: number;
    /**
     * Look into queries for lengths that no slice counts to. Default: true. Without it slices show what they show by
     * themselves.
     */
    readonly readsQueries?: boolean;
    readonly seed: number;
    /** Models with `as_of` to compare. Default: all. */
    readonly names?: ReadonlySet<string>;
    /** For all replays together; a model is looked into once. */
    readonly traceSeconds: number;
    readonly report: Report;
    readonly signal: AbortSignal;
}

/**
 * Worlds of up to this many events are built with one thread a query, and several queries at a time: the same work in
 * four fifths of the processor's time.
 */
const eventsForOneThread = 15_000;

/**
 * Replays the plan, what takes longest first; every replay is a test. What then has values in no slice is replayed on
 * the whole history.
 */
export async function runAudit(
    options: AuditOptions,
): Promise<{ readonly audit: Audit; readonly results: readonly NodeResult[] }> {
    const { plan, compiled, project, warehouse, names } = options;
    const replayer = new Replayer(options);
    const jobs = await planJobs(warehouse, project.sources, plan, options.slice);
    const coverages = await replayer.runAll(jobs);
    const audited = auditedModels(compiled).filter(({ name }) => !names || names.has(name));
    // A day of which no slice could be made was replayed whole, too.
    const sliced = new Set(coverages.map(({ day }) => day));
    const wholeDays = new Set(
        jobs.filter(({ isSliced, day }) => !isSliced || !sliced.has(day)).map(({ day }) => day),
    );
    const counting =
        sliced.size === 0 || options.readsQueries === false
            ? []
            : await longCounts({
                  warehouse,
                  compiled,
                  sources: project.sources,
                  root: project.root,
                  names,
                  beyond: sliceDepth(options.slice!),
                  upTo: await rowsOf(warehouse),
              });
    const coverage = await mergeCoverages(coverages, warehouse, audited, [...wholeDays], counting);
    const more = replaysOfUnseen(plan, coverages, coverage);
    await replayer.runAll(await planJobs(warehouse, project.sources, more, undefined));

    const all = [...plan, ...more].sort((one, other) => (one.day < other.day ? -1 : 1));
    const replays = all.map((planned) => ({ ...replayer.done.get(planned)!.replay, why: planned.why }));
    const audit: Audit = {
        project: project.name,
        seed: options.seed,
        passed: replays.every(({ passed }) => passed),
        seconds: replays.reduce((sum, { seconds }) => sum + seconds, 0),
        declarations: declarationsOf(project.sources),
        models: audited.map(({ name, config }) => ({ model: name, asOf: config.asOf! })),
        replays,
        ...(coverages.length > 0 && { coverage }),
    };
    return { audit, results: all.map((planned) => replayer.done.get(planned)!.result) };
}

/** Of each day on a slice, the models of columns that no slice shows, and those that count further than a slice. */
function replaysOfUnseen(
    plan: readonly PlannedReplay[],
    coverages: readonly DayCoverage[],
    { unseen, counting }: Coverage,
): readonly PlannedReplay[] {
    return coverages.flatMap(({ day }) => {
        const lacking = [...unseen.filter((one) => one.day === day), ...counting];
        if (lacking.length === 0) return [];
        const names = new Set(lacking.map(({ model }) => model));
        return [{ ...plan.find((planned) => planned.day === day)!, why: "unseen" as const, names }];
    });
}

/** Of the largest source. */
async function rowsOf(warehouse: Warehouse): Promise<number> {
    const [row] = await warehouse.rows(
        "select max(estimated_size) as rows from duckdb_tables() where database_name = current_database() and schema_name = 'sources'",
    );
    return Number(row?.rows ?? 0);
}

interface Done {
    readonly replay: Replay;
    readonly result: NodeResult;
}

/** Runs jobs and keeps what becomes of their replays. */
class Replayer {
    readonly done = new Map<PlannedReplay, Done>();
    readonly #options: AuditOptions;
    readonly #untraced = new Set<string>();
    /** `model.column` that a slice has shown. */
    readonly #shown = new Set<string>();
    #traceSeconds: number;
    #started = 0;
    #total = 0;

    constructor(options: AuditOptions) {
        this.#options = options;
        this.#traceSeconds = options.traceSeconds;
    }

    /** What the slices cover that were made. */
    async runAll(jobs: readonly AuditJob[]): Promise<readonly DayCoverage[]> {
        const { project, warehouse } = this.#options;
        this.#total += jobs.reduce((sum, { replays }) => sum + replays.length, 0);
        const isSmall = jobs.every(({ events, replays }) => events <= eventsForOneThread * replays.length);
        const whole = jobs.filter(({ isSliced }) => !isSliced).map(({ day }) => day);
        const fullSide = new FullSide(warehouse, [...new Set(whole)]);
        const work = () => this.#share(jobs, fullSide, project);
        return isSmall ? warehouse.withThreads(1, work) : work();
    }

    async #share(
        jobs: readonly AuditJob[],
        fullSide: FullSide,
        project: Project,
    ): Promise<readonly DayCoverage[]> {
        const waiting = [...jobs];
        const crowded: AuditJob[] = [];
        const coverages: DayCoverage[] = [];
        const lane = async () => {
            for (let next = waiting.shift(); next; next = waiting.shift()) {
                try {
                    coverages.push(...(await this.#run(next, fullSide, project)));
                } catch (error) {
                    if (!(error instanceof QueryError) || error.failure.code !== "Out of Memory Error")
                        throw error;
                    crowded.push(next);
                }
            }
        };
        const { warehouse: limits } = project.target;
        // A replay alone has stretches of one core, the ends of sorts and ratings in JavaScript; but each holds its
        // models in memory.
        const lanes = isMemoryShort(limits.memoryLimit) ? 1 : 2;
        const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
        for (const one of ended) if (one.status === "rejected") throw one.reason;
        // With the memory to themselves, one model at a time: what then does not fit fails the run.
        const alone = { ...project, target: { ...project.target, warehouse: { ...limits, concurrency: 1 } } };
        for (const job of crowded) coverages.push(...(await this.#run(job, fullSide, alone)));
        return coverages;
    }

    /** What the job's slice covers, when it has one. */
    async #run(job: AuditJob, fullSide: FullSide, project: Project): Promise<readonly DayCoverage[]> {
        const { compiled, warehouse, slice: size, report, names } = this.#options;
        if (!job.isSliced) {
            await this.#replayAll(job, { project, warehouse, fullSide });
            return [];
        }
        const { day } = job;
        return withHistorySlice({ ...this.#options, project, day, size: size! }, async (slice) => {
            if (slice.failures.size > 0) {
                const [[model, reason]] = [...slice.failures] as [[string, string]];
                const message = `${day} is replayed on the whole history: of a slice of it ${model} could not be made: ${scrub(reason)}`;
                report({ type: "note", level: "warn", message });
                await this.#replayAll(job, {
                    project,
                    warehouse,
                    fullSide: new FullSide(warehouse, [day]),
                });
                return [];
            }
            const side = new FullSide(slice.warehouse, [day]);
            await this.#replayAll(job, { project, warehouse: slice.warehouse, fullSide: side, slice });
            const audited = auditedModels(compiled).filter(({ name }) => !names || names.has(name));
            const columnsOf = (model: string) => side.columns(model);
            const shown = this.#shown;
            const options = {
                full: warehouse,
                slice: slice.warehouse,
                models: audited,
                columnsOf,
                shown,
                day,
            };
            return [await dayCoverage(options)];
        });
    }

    async #replayAll(
        job: AuditJob,
        place: Pick<ReplayOptions, "project" | "warehouse" | "fullSide"> & { readonly slice?: HistorySlice },
    ): Promise<void> {
        const { report } = this.#options;
        const total = this.#total;
        for (const planned of job.replays) {
            // Done before the memory ran out.
            if (this.done.has(planned)) continue;
            const { day, perturbation, why, names = this.#options.names } = planned;
            const node = {
                name: `replay.${day}.${perturbation}${why === "unseen" ? ".unseen" : ""}`,
                kind: "replay",
                detail: perturbation,
            } as const;
            const index = Math.min(total, ++this.#started);
            report({ type: "node-start", ...node, index, total });
            const { slice, ...own } = place;
            const one = await replay({
                ...this.#options,
                ...own,
                day,
                perturbation,
                ...(names && { names }),
                untraced: this.#untraced,
                traceSeconds: this.#traceSeconds,
            });
            if (!one.passed) {
                this.#traceSeconds -= one.traceSeconds;
                // A tie says nothing of what else may be wrong with a model.
                for (const { model, origin } of one.models)
                    if (origin && origin.kind !== "order") this.#untraced.add(model);
            }
            const size = slice && {
                slice: { events: slice.events, whole: slice.whole, ofEvents: slice.ofEvents },
            };
            const sized = { ...one, ...size };
            const result = { ...node, ...resultOf(sized) };
            this.done.set(planned, { replay: sized, result });
            report({ type: "node-end", result, index, total });
        }
    }
}

function resultOf({ models, slice, passed, seconds }: Replay): Omit<NodeResult, "name" | "kind" | "detail"> {
    const rows = models.reduce((sum, model) => sum + model.rows, 0);
    const columns = models.length;
    if (passed) return { status: "success", seconds, rows, columns };
    return {
        status: "failed",
        seconds,
        rows,
        columns,
        message: scrub(describeLeaks({ models, ...(slice && { slice }) })),
    };
}

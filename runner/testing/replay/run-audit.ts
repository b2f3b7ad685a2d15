import type { CompiledProject } from "../../compile/compiled.ts";
import { QueryError } from "../../errors.ts";
import { bytesOf } from "../../project/memory-limit.ts";
import type { Project } from "../../project/project.ts";
import { scrub } from "../../secrets.ts";
import type { NodeResult, Report } from "../../status/events.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { type Audit, declarationsOf } from "./audit.ts";
import { FullSide } from "./checksums.ts";
import { describeLeaks } from "./describe-leak.ts";
import type { PlannedReplay } from "./plan-audit.ts";
import { type Replay, replay } from "./replay.ts";
import { auditedModels } from "./replay-plan.ts";

export interface AuditOptions {
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly warehouse: Warehouse;
    readonly plan: readonly PlannedReplay[];
    readonly seed: number;
    /** Models with `as_of` to compare. Default: all. */
    readonly names?: ReadonlySet<string>;
    /** For all replays together; a model is looked into once. */
    readonly traceSeconds: number;
    readonly report: Report;
    readonly signal: AbortSignal;
}

/**
 * Replays side by side: a replay alone has stretches of one core, the ends of sorts and ratings in JavaScript. Each
 * holds its models in memory, so with less than this there is one at a time.
 */
const memoryForTwo = 2e9;

/** Replays the plan, the latest days first, since they take longest; every replay is a test. */
export async function runAudit(
    options: AuditOptions,
): Promise<{ readonly audit: Audit; readonly results: readonly NodeResult[] }> {
    const { plan, compiled, project, warehouse, report, names } = options;
    const fullSide = new FullSide(warehouse, [...new Set(plan.map(({ day }) => day))]);
    const done = new Map<PlannedReplay, { readonly replay: Replay; readonly result: NodeResult }>();
    const waiting = [...plan].sort((one, other) => (one.day < other.day ? 1 : -1));
    const untraced = new Set<string>();
    let { traceSeconds } = options;
    let started = 0;
    const total = plan.length;
    const replayOne = async (planned: PlannedReplay, own = project) => {
        const { day, perturbation } = planned;
        const node = { name: `replay.${day}.${perturbation}`, kind: "replay", detail: perturbation } as const;
        const index = ++started;
        report({ type: "node-start", ...node, index, total });
        const one = await replay({
            ...options,
            project: own,
            day,
            perturbation,
            fullSide,
            untraced,
            traceSeconds,
        });
        if (!one.passed) {
            traceSeconds -= one.traceSeconds;
            for (const { model, origin } of one.models) if (origin) untraced.add(model);
        }
        const result = { ...node, ...resultOf(one) };
        done.set(planned, { replay: one, result });
        report({ type: "node-end", result, index, total });
    };
    const crowded: PlannedReplay[] = [];
    const lane = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
            try {
                await replayOne(next);
            } catch (error) {
                if (!(error instanceof QueryError) || error.failure.code !== "Out of Memory Error")
                    throw error;
                started--;
                crowded.push(next);
            }
        }
    };
    const { warehouse: limits } = project.target;
    const lanes = bytesOf(limits.memoryLimit) < memoryForTwo ? 1 : 2;
    const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    // With the memory to themselves, one model at a time: what then does not fit fails the run.
    const alone = { ...project, target: { ...project.target, warehouse: { ...limits, concurrency: 1 } } };
    for (const planned of crowded) await replayOne(planned, alone);

    const replays = plan.map((planned) => ({ ...done.get(planned)!.replay, why: planned.why }));
    const audited = auditedModels(compiled).filter(({ name }) => !names || names.has(name));
    const audit: Audit = {
        project: project.name,
        seed: options.seed,
        passed: replays.every(({ passed }) => passed),
        seconds: replays.reduce((sum, { seconds }) => sum + seconds, 0),
        declarations: declarationsOf(project.sources),
        models: audited.map(({ name, config }) => ({ model: name, asOf: config.asOf! })),
        replays,
    };
    return { audit, results: plan.map((planned) => done.get(planned)!.result) };
}

function resultOf({ models, passed, seconds }: Replay): Omit<NodeResult, "name" | "kind" | "detail"> {
    const rows = models.reduce((sum, model) => sum + model.rows, 0);
    const columns = models.length;
    if (passed) return { status: "success", seconds, rows, columns };
    return { status: "failed", seconds, rows, columns, message: scrub(describeLeaks(models)) };
}

import type { CompiledProject } from "../../compile/compiled.ts";
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
 * Replays side by side: a replay alone has stretches of one core, sorts that end and ratings in JavaScript. Of 50,000
 * events in five days, two lanes took XX s and one YY s on two cores.
 */
const lanes = 2;

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
    const run = async (planned: PlannedReplay) => {
        const { day, perturbation } = planned;
        const node = { name: `replay.${day}.${perturbation}`, kind: "replay", detail: perturbation } as const;
        const index = ++started;
        report({ type: "node-start", ...node, index, total });
        const one = await replay({ ...options, day, perturbation, fullSide, untraced, traceSeconds });
        if (!one.passed) {
            traceSeconds -= one.traceSeconds;
            for (const { model, origin } of one.models) if (origin) untraced.add(model);
        }
        const result = { ...node, ...resultOf(one) };
        done.set(planned, { replay: one, result });
        report({ type: "node-end", result, index, total });
    };
    const lane = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await run(next);
    };
    const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const one of ended) if (one.status === "rejected") throw one.reason;

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

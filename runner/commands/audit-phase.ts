import { writeAudit } from "../status/artifacts.ts";
import { countOf } from "../status/format.ts";
import { type Audit, summarizeAudit } from "../testing/replay/audit.ts";
import { auditReport } from "../testing/replay/audit-report.ts";
import { chooseDays } from "../testing/replay/choose-days.ts";
import { hasOutcomes } from "../testing/replay/clocks.ts";
import type { Perturbation } from "../testing/replay/perturbation.ts";
import { planAudit } from "../testing/replay/plan-audit.ts";
import { auditedModels } from "../testing/replay/replay-plan.ts";
import { runAudit } from "../testing/replay/run-audit.ts";
import { readMetadata } from "../warehouse/metadata.ts";
import type { Warehouse } from "../warehouse/types.ts";
import type { RunContext } from "./record-run.ts";
import { isFailure, timePhase } from "./run-phases.ts";

export interface AuditWish {
    readonly names: ReadonlySet<string>;
    /** The names were selected, not all. */
    readonly isPartial: boolean;
    /** A named day in place of chosen ones. */
    readonly day?: string;
    /** Default: as rebuild.yml says. */
    readonly days?: number;
    readonly seed?: number;
    /** Replay every day on the whole history, however long it is. */
    readonly isWhole?: boolean;
    /** Of each day. Default: see planAudit. */
    readonly perturbations?: readonly Perturbation[];
    /** Default 60. */
    readonly traceSeconds?: number;
}

/** The audit as a part of the tests: as rebuild.yml wants it, and true when it passed or there is nothing to replay. */
export async function auditGate(
    context: RunContext,
    warehouse: Warehouse,
    wish: AuditWish,
): Promise<boolean> {
    const { off } = context.project.audit;
    if (off !== undefined) {
        context.report({
            type: "note",
            level: "warn",
            message: `nothing is replayed, says rebuild.yml: ${off}`,
        });
        context.ledger.audit = { off };
        return true;
    }
    const done = await auditPhase(context, warehouse, wish);
    return done?.audit.passed ?? true;
}

/** Replays days of the history for the named models with `as_of`; returns the audit, if there is anything to replay. */
export async function auditPhase(
    context: RunContext,
    warehouse: Warehouse,
    wish: AuditWish,
): Promise<{ readonly audit: Audit; readonly page: string } | undefined> {
    const { project, compiled, ledger, report, signal } = context;
    const models = auditedModels(compiled).filter(({ name }) => wish.names.has(name));
    if (models.length === 0 || !project.sources.some(hasOutcomes)) return undefined;
    const settings = { days: wish.days ?? project.audit.days, seed: wish.seed ?? project.audit.seed };
    const days = wish.day
        ? [{ day: wish.day, why: "named" as const }]
        : await chooseDays(warehouse, project.sources, settings);
    const { history } = project.audit;
    const slice = wish.isWhole || history === "whole" ? undefined : history;
    const plan = planAudit(days, wish.perturbations ?? (wish.day ? ["cut", "replaced"] : undefined));
    const message = `${countOf(models.length, "model")}, ${countOf(days.length, "day")} replayed`;
    return timePhase(context, "audit", { total: plan.length, message }, async () => {
        const { audit, results } = await runAudit({
            project,
            compiled,
            warehouse,
            plan,
            ...(slice !== undefined && { slice }),
            seed: settings.seed,
            names: new Set(models.map(({ name }) => name)),
            traceSeconds: wish.traceSeconds ?? 60,
            report,
            signal,
        });
        ledger.results.push(...results);
        ledger.audit = summarizeAudit(audit);
        const snapshotAt = (await readMetadata(warehouse))?.snapshotAt?.toISOString();
        const occasion = {
            runId: context.runId,
            target: project.target.name,
            version: context.version,
            command: commandOf(
                { ...wish, names: new Set(models.map(({ name }) => name)) },
                settings,
                project.target.name,
            ),
            ...(snapshotAt !== undefined && { snapshotAt }),
        };
        const page = auditReport(audit, occasion);
        await writeAudit(context.targetDirectory, { ...occasion, ...audit }, page);
        const failed = results.filter(isFailure).length;
        return {
            result: { audit, page },
            message:
                failed === 0
                    ? `${countOf(ledger.audit.cells, "value")} compared, none differs`
                    : `${failed} of ${results.length} differ: target/audit.txt`,
        };
    });
}

/** Arguments of `rebuild` that replay the same again, against the same warehouse. */
function commandOf(
    { day, perturbations, names, isPartial, isWhole }: AuditWish,
    { days, seed }: { readonly days: number; readonly seed: number },
    target: string,
): string {
    return [
        "audit",
        `--target ${target}`,
        day === undefined ? `--days ${days}` : `--day ${day}`,
        `--seed ${seed}`,
        ...(isWhole ? ["--whole"] : []),
        ...(perturbations ? [`--perturbations ${perturbations.join(" ")}`] : []),
        ...(isPartial ? [`--model ${[...names].sort().join(" ")}`] : []),
    ].join(" ");
}

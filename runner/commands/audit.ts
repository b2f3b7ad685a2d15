import { selectNodes } from "../compile/select.ts";
import { ConfigError } from "../errors.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { hasOutcomes } from "../testing/replay/clocks.ts";
import type { Perturbation } from "../testing/replay/perturbation.ts";
import { auditedModels } from "../testing/replay/replay-plan.ts";
import { auditPhase } from "./audit-phase.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { prepare } from "./prepare.ts";
import { recordRun } from "./record-run.ts";

export interface AuditOptions extends CommonOptions {
    /** Days chosen over the history. Default: as rebuild.yml says. */
    readonly days?: number;
    /** One named day, ISO, instead. */
    readonly day?: string;
    /** Models in the grammar of `--select`; default: all with `as_of`. */
    readonly model: readonly string[];
    readonly seed?: number;
    /** Replay days on the whole history, however long it is. */
    readonly whole?: boolean;
    /** Default: what every run does. */
    readonly perturbations: readonly Perturbation[];
    /** Seconds to look for the event that leaked into an example. */
    readonly trace: number;
}

/** Replays more days than a run does, against the last good warehouse. Changes nothing. */
export async function audit(options: AuditOptions, environment: Environment): Promise<RunRecord> {
    const prepared = await prepare(options, environment);
    const { project, compiled } = prepared;
    const names = selectNodes(compiled, { select: options.model });
    const audited = auditedModels(compiled).filter(({ name }) => names.has(name));
    if (audited.length === 0) {
        throw new ConfigError(
            "None of these models has `as_of`: it names the date column of a model whose rows may know nothing of their own day or later.",
        );
    }
    if (!project.sources.some(hasOutcomes)) {
        throw new ConfigError(
            "No source declares outcomes: mark columns or tables as `known: after`, with the `clock` that dates them.",
        );
    }
    return recordRun({ options, environment, prepared, command: "audit", exclusive: false }, (context) =>
        withLastGood(project, async (warehouse) => {
            const { days, day, seed, whole, perturbations } = options;
            const done = await auditPhase(context, warehouse, {
                names,
                isPartial: options.model.length > 0,
                traceSeconds: options.trace,
                ...(day !== undefined && { day }),
                ...(days !== undefined && { days }),
                ...(seed !== undefined && { seed }),
                ...(whole && { isWhole: true }),
                ...(perturbations.length > 0 && { perturbations }),
            });
            const { json, logFormat } = options;
            if (done && !json && logFormat === "text") environment.output.data(`\n${done.page}`);
        }),
    );
}

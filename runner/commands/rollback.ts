import { rollback as putBack } from "../publish/rollback.ts";
import type { RunRecord } from "../status/artifacts.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { swapPhase } from "./publish-phase.ts";
import { withPublisher } from "./with-publisher.ts";

export interface RollbackOptions extends CommonOptions {
    /** Number of a generation. Default: the one before the latest swap. */
    readonly to?: number;
}

/** Puts an archived generation back into service, by the same swap as a publish. */
export async function rollback(options: RollbackOptions, environment: Environment): Promise<RunRecord> {
    return withPublisher(options, environment, "rollback", (context) =>
        swapPhase(context, "swap of an archived generation", () =>
            putBack({
                ...context.lock,
                run: { id: context.runId, startedAt: environment.now() },
                report: context.report,
                signal: context.signal,
                ...(options.to !== undefined && { to: options.to }),
            }),
        ),
    );
}

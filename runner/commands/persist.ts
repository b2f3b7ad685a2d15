import { setTimeout as sleep } from "node:timers/promises";
import { PublishError, QueryError, RebuildError } from "../errors.ts";
import { isConnectionLost } from "../failure-reason.ts";
import { listGenerations } from "../publish/list-generations.ts";
import type { PublishOverride } from "../publish/steps.ts";
import type { Connections } from "./connections.ts";
import { type PublishLock, publishPhase, withPublishLock } from "./publish-phase.ts";
import type { RunContext } from "./record-run.ts";

const attempts = 3;
const pausesMs = [1000, 5000];

/** Does the work again, after a pause, when a connection broke while that is safe: nothing of it may be in use yet. */
export async function repeatWhileLost(
    { signal, report }: Pick<RunContext, "signal" | "report">,
    isSafe: () => boolean,
    work: () => Promise<void>,
): Promise<void> {
    let lost: unknown;
    for (let attempt = 1; ; attempt++) {
        try {
            return await work();
        } catch (error) {
            if (!isConnectionLost(error)) throw lost === undefined ? error : stillLost(error, lost);
            if (signal.aborted || !isSafe() || attempt === attempts) throw error;
            lost = error;
            const pauseMs = pausesMs[attempt - 1]!;
            report({
                type: "note",
                level: "warn",
                message: `${(error as Error).message}\nTrying again in ${pauseMs / 1000} s (attempt ${attempt + 1} of ${attempts}).`,
            });
            await sleep(pauseMs, undefined, { signal });
        }
    }
}

/** A server that could not even be reached again is lost all the same. */
function stillLost(error: unknown, lost: unknown): unknown {
    if (!(error instanceof RebuildError) || !error.message.startsWith("Cannot connect")) return error;
    return new QueryError(error.message, { engine: "postgres", code: "08006" }, { cause: lost });
}

interface Wanted {
    readonly connections: Connections;
    readonly lock: PublishLock;
    readonly names: ReadonlySet<string>;
    readonly overrides: readonly PublishOverride[];
}

/**
 * Publishes although the lock's connection may have broken while models were built, which takes no database, or
 * may break meanwhile: the lock is taken anew. A publish that is repeated is a generation of its own; what the
 * broken one left is cleaned up by it.
 */
export async function publishGood(context: RunContext, wanted: Wanted): Promise<void> {
    const { lock } = wanted.lock;
    await repeatWhileLost(
        context,
        () => true,
        async () => {
            if (!lock.lost.aborted) {
                try {
                    return await publishPhase(context, { ...wanted, runId: context.runId });
                } catch (error) {
                    if (!lock.lost.aborted || isConnectionLost(error) || context.signal.aborted) throw error;
                    throw new QueryError("The connection that held the run's lock was lost.", lostFailure, {
                        cause: error,
                    });
                }
            }
            await withPublishLock(
                { ...context, connections: wanted.connections, wanted: true },
                async (fresh) => {
                    if (!fresh) return;
                    context.note("took the publisher's lock again: its connection had been lost");
                    await refuseOvertaken(context, fresh);
                    await publishPhase(context, { ...wanted, lock: fresh, runId: context.runId });
                },
            );
        },
    );
}

const lostFailure = { engine: "postgres", code: "08006" } as const;

/** While nobody held the lock another run may have published what it read later. */
async function refuseOvertaken(
    { ledger, runId, signal }: RunContext,
    { connection }: PublishLock,
): Promise<void> {
    const live = (await listGenerations({ connection, signal })).find(({ state }) => state === "live");
    if (!live?.swappedAt || live.runId === runId) return;
    if (!ledger.sourceSnapshotAt || new Date(live.swappedAt) <= ledger.sourceSnapshotAt) return;
    throw new PublishError(
        "swap",
        `Run ${live.runId} published generation ${live.id} after this run had read its sources and lost its lock. ` +
            "What is in service may be newer, so it stays. Run again.",
    );
}

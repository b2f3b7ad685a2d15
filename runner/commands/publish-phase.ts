import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { listGenerations } from "../publish/list-generations.ts";
import { publishModels } from "../publish/publish.ts";
import type { PublishOverride } from "../publish/steps.ts";
import { withWarehouse } from "../warehouse/warehouse.ts";
import type { Connections, OpenPublish } from "./connections.ts";
import type { RunContext } from "./record-run.ts";
import { type PhaseContext, timePhase } from "./run-phases.ts";

export interface PublishLock {
    readonly lock: AdvisoryLock;
    readonly connection: OpenPublish;
    readonly worldLoadedAt?: Date;
}

interface LockOptions extends Pick<RunContext, "signal" | "runId" | "keeper"> {
    readonly connections: Connections;
    /** False: nothing will be published, and no lock is taken. */
    readonly wanted: boolean;
}

/** Takes the publisher's lock before any work: a second run learns at once that it cannot publish. */
export async function withPublishLock<T>(
    options: LockOptions,
    callback: (lock: PublishLock | undefined) => Promise<T>,
): Promise<T> {
    const { connections, wanted, runId, signal, keeper } = options;
    const connection = connections.publish;
    if (connection) keeper.connect(connection.url);
    if (!wanted || !connection) return callback(undefined);
    const session = { url: connection.url, applicationName: `rebuild lock ${runId}`, signal };
    const { worldLoadedAt } = connections;
    return withAdvisoryLock(session, (lock) =>
        callback({ lock, connection, ...(worldLoadedAt && { worldLoadedAt }) }),
    );
}

/** Publishes the tagged models among `names` from the last good warehouse. */
export async function publishPhase(
    context: PhaseContext,
    wanted: {
        readonly lock: PublishLock;
        readonly names: ReadonlySet<string>;
        readonly runId: string;
        readonly overrides: readonly PublishOverride[];
    },
): Promise<void> {
    const { project, compiled, ledger, report, signal, now } = context;
    const { lock, names, runId } = wanted;
    const { warehouse: settings } = project.target;
    await timePhase(context, "publish", { message: "load, verify, swap" }, async () => {
        const ofWorld = await worldOverrides(lock, context);
        const published = await withWarehouse(settings.path, { ...settings, readOnly: true }, (warehouse) =>
            publishModels({
                ...lock,
                warehouse,
                compiled,
                names,
                run: { id: runId, startedAt: now() },
                texts: new Map(
                    project.models
                        .filter(({ language }) => language === "typescript")
                        .map(({ name, text }) => [name, text]),
                ),
                overrides: new Set([...wanted.overrides, ...ofWorld]),
                report,
                signal,
                onStep: (step) => report({ type: "publish-step", step }),
            }),
        );
        ledger.results.push(...published.results);
        const { generation, swapMilliseconds, swapAttempts } = published;
        const objects = published.results.map(({ name }) => name);
        ledger.publication = { ...(generation !== undefined && { generation }), objects, swapMilliseconds };
        const message =
            generation === undefined
                ? "none of the selected models is published"
                : swapAttempts === 0
                  ? `nothing has changed: generation ${generation} stays in service`
                  : `generation ${generation} in service, swapped within ${swapMilliseconds.toFixed(1)} ms`;
        return { result: undefined, message };
    });
}

/** What the sandbox has in service may be of another world: then the new one need not resemble it. */
async function worldOverrides(
    { connection, worldLoadedAt }: PublishLock,
    { signal, report }: PhaseContext,
): Promise<readonly PublishOverride[]> {
    if (!worldLoadedAt) return [];
    const generations = await listGenerations({ connection, signal });
    const swappedAt = generations.find(({ state }) => state === "live")?.swappedAt;
    if (!swappedAt || new Date(swappedAt) > worldLoadedAt) return [];
    const message = "what is in service is of the world before; the new one is not held to its bounds";
    report({ type: "note", level: "info", message });
    return ["row-count", "nulls", "dates"];
}

interface Swapped {
    readonly generation: number;
    readonly objects: readonly string[];
    readonly milliseconds: number;
}

/** A phase that only swaps: what is put in service was built before. */
export async function swapPhase(
    context: PhaseContext,
    message: string,
    work: () => Promise<Swapped>,
): Promise<void> {
    await timePhase(context, "publish", { message }, async () => {
        const { generation, objects, milliseconds } = await work();
        context.ledger.publication = { generation, objects, swapMilliseconds: milliseconds };
        return { result: undefined, message: `generation ${generation} in service` };
    });
}

import type { CompiledProject } from "../compile/compiled.ts";
import { PublishError } from "../errors.ts";
import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient } from "../postgres/connect.ts";
import type { PublishConnection } from "../project/project.ts";
import type { NodeResult, Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { divide } from "./divide.ts";
import { fingerprintModels, fingerprintSource } from "./fingerprints.ts";
import { confirmGeneration } from "./generations.ts";
import { qualified } from "./live-object.ts";
import { looserColumns } from "./looser-columns.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import { preflight } from "./preflight.ts";
import { refuseWithoutRoom } from "./preflight-room.ts";
import { publishDiff } from "./publish-diff.ts";
import { publishSwap } from "./publish-swap.ts";
import type { PublishOutcome, PublishWork } from "./publish-work.ts";
import { describePublication, modelsToPublish, type Publication } from "./published.ts";
import { PublishedResults } from "./published-results.ts";
import { refreshKept } from "./refresh-kept.ts";
import { prepareSession } from "./session.ts";
import type { OnStep, PublishOverride } from "./steps.ts";

export interface PublishOptions {
    readonly connection: Extract<PublishConnection, { readonly type: "postgres" }>;
    readonly warehouse: Warehouse;
    readonly compiled: CompiledProject;
    /** Selected nodes; those tagged `publish` are published, with the views and tables that belong to them. */
    readonly names: ReadonlySet<string>;
    readonly run: { readonly id: string; readonly startedAt: Date };
    /** The lock of the whole run; without it, publishing takes one for its own time. */
    readonly lock?: AdvisoryLock;
    /** Gates opened on the command line. */
    readonly overrides?: ReadonlySet<PublishOverride>;
    readonly report: Report;
    readonly signal: AbortSignal;
    /** Code of models that are not SQL, by name: part of the fingerprint of the models. */
    readonly texts?: ReadonlyMap<string, string>;
    /** Awaited before each step. */
    readonly onStep?: OnStep;
}

export interface PublishResult {
    /** In service now; an earlier run's where nothing has changed. Absent: none of the selected models is published. */
    readonly generation?: number;
    readonly results: readonly NodeResult[];
    /** How long readers could have been held up by the swap. */
    readonly swapMilliseconds: number;
    readonly swapAttempts: number;
    readonly seconds: number;
}

/** Publishes the tagged models among `names` as one generation; on any error the one in service is untouched. */
export async function publishModels(options: PublishOptions): Promise<PublishResult> {
    const { connection, lock, signal } = options;
    const models = modelsToPublish(options.compiled, options.names);
    if (models.length === 0) return { results: [], swapMilliseconds: 0, swapAttempts: 0, seconds: 0 };
    const session = { url: connection.url, signal };
    if (!lock) {
        return withAdvisoryLock({ ...session, applicationName: `rebuild lock ${options.run.id}` }, (own) =>
            publishModels({ ...options, lock: own }),
        );
    }
    return withClient(
        { ...session, applicationName: `rebuild publish ${options.run.id}` },
        async (client) => {
            await prepareSession(client);
            const publication = await describePublication(models, connection.schema, options.warehouse);
            return publishGeneration({ ...options, lock }, client, publication);
        },
    );
}

async function publishGeneration(
    options: PublishOptions & { readonly lock: AdvisoryLock },
    client: PostgresClient,
    publication: Publication,
): Promise<PublishResult> {
    const { connection, warehouse, compiled, report, signal, lock } = options;
    const overrides = options.overrides ?? new Set();
    const step: OnStep = async (name) => {
        signal.throwIfAborted();
        if (lock.lost.aborted) {
            throw new PublishError(
                "swap",
                "The connection that held the run's lock was closed: another run may be under way.",
            );
        }
        await options.onStep?.(name);
    };
    const started = performance.now();
    await step("preflight");
    const found = await preflight(client, publication, overrides, connection);
    const division = await divide(client, warehouse, publication, found);
    for (const message of [...found.notes, ...looserColumns(division, found, overrides)])
        report({ type: "note", level: "warn", message });
    await refuseWithoutRoom(client, division, found, connection.maxDatabaseBytes);
    const kept = [...division.keptTables, ...division.keptViews];
    if (kept.length > 0) {
        const names = kept.map(({ object }) => qualified(object)).join(", ");
        report({ type: "note", level: "info", message: `unchanged, not loaded again: ${names}` });
    }
    const objects = [...publication.tables, ...publication.views];
    const results = new PublishedResults(objects, report);
    const models = objects.map(({ model }) => model);
    const work = {
        ...{ options, overrides, client, step, division, results, preflight: found },
        fingerprints: {
            models: fingerprintModels(compiled, models, options.texts),
            ...(await fingerprintSource(warehouse)),
        },
    };
    const publish = division.mode === "diff" ? publishDiff : publishSwap;
    const isChanged = division.changed.tables.length + division.changed.views.length > 0;
    const outcome = isChanged ? await publish(work) : await confirm(work);
    await options.onStep?.("swapped");
    return {
        generation: outcome.generation,
        results: await results.succeed(
            client,
            outcome.rowCounts,
            new Set(kept.map(({ object }) => object.model)),
        ),
        swapMilliseconds: outcome.milliseconds,
        swapAttempts: outcome.attempts,
        seconds: (performance.now() - started) / 1000,
    };
}

/** Nothing has changed: the generation in service goes on, and remembers who found that, and by which audit. */
async function confirm(work: PublishWork): Promise<PublishOutcome> {
    const { client, options, fingerprints } = work;
    await ensurePrivateSchemas(client);
    const { generation, rowCounts } = await refreshKept(work);
    await confirmGeneration(client, generation, options.run.id, fingerprints);
    return { generation, rowCounts, attempts: 0, milliseconds: 0 };
}

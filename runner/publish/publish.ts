import type { CompiledProject } from "../compile/compiled.ts";
import { PublishError } from "../errors.ts";
import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient } from "../postgres/connect.ts";
import type { PublishConnection } from "../project/project.ts";
import type { NodeResult, Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { checkBounds } from "./bounds.ts";
import { type Build, build } from "./build.ts";
import { buildName } from "./build-target.ts";
import { indexTables, refreshViews } from "./finish.ts";
import { failGeneration } from "./generations.ts";
import { loadTable } from "./load.ts";
import { preflight } from "./preflight.ts";
import { describePublication, modelsToPublish, type Published } from "./published.ts";
import { schemas } from "./schemas.ts";
import { prepareSession } from "./session.ts";
import type { OnStep, PublishOverride } from "./steps.ts";
import { swap } from "./swap.ts";
import { planSwap } from "./swap-plan.ts";
import { verifyTable } from "./verify.ts";

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
    /** Awaited before each step. */
    readonly onStep?: OnStep;
}

export interface PublishResult {
    /** Absent: none of the selected models is published. */
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
    publication: Awaited<ReturnType<typeof describePublication>>,
): Promise<PublishResult> {
    const { connection, warehouse, lock, report, signal, run } = options;
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
    for (const message of found.notes) report({ type: "note", level: "warn", message });

    await step("build");
    const { keepGenerations } = connection;
    const built = await build({
        client,
        publication,
        preflight: found,
        runId: run.id,
        keepGenerations,
        overrides,
    });
    const results = new Results([...publication.tables, ...publication.views], report);
    try {
        await step("load");
        const rowCounts = new Map<string, number>();
        for (const { object } of built.tables) {
            results.start(object);
            const { maxBytesPerSecond } = connection;
            rowCounts.set(
                object.model,
                await loadTable(object, { client, warehouse, maxBytesPerSecond, report, signal }),
            );
            results.end(object);
            await step("loaded");
        }
        await step("index");
        await indexTables(client, built);
        await step("refresh");
        for (const { object } of built.views) results.start(object);
        await refreshViews(client, built);
        for (const { object } of built.views) {
            results.end(object);
            rowCounts.set(object.model, await countBuilt(client, object));
        }
        await step("verify");
        await verify(options, client, built, overrides);
        const plan = await planSwap(client, built, rowCounts, keepGenerations);
        await client.query(
            `update ${schemas.meta}.generation set state = 'built', plan = $2 where id = $1 and state = 'building'`,
            [built.generation, JSON.stringify(plan)],
        );
        await step("built");
        await step("swap");
        const outcome = await swap({
            client,
            url: connection.url,
            plan,
            lock,
            timeoutSeconds: connection.swapTimeoutSeconds,
            report,
            signal,
        });
        await options.onStep?.("swapped");
        return {
            generation: built.generation,
            results: await results.succeed(client, rowCounts),
            swapMilliseconds: outcome.milliseconds,
            swapAttempts: outcome.attempts,
            seconds: (performance.now() - started) / 1000,
        };
    } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        results.fail(problem);
        await failGeneration(client, built.generation, problem).catch(() => undefined);
        throw error;
    }
}

async function verify(
    { connection, warehouse, report }: PublishOptions,
    client: PostgresClient,
    { tables }: Build,
    overrides: ReadonlySet<PublishOverride>,
): Promise<void> {
    // All tables are looked at, so that one more run is enough once every gate is known.
    const refusals: string[] = [];
    for (const target of tables) {
        await verifyTable(client, warehouse, target);
        const bounds = { rowCountBand: connection.rowCountBand, overrides };
        const allowed = await checkBounds(client, target, bounds).catch((error) => {
            if (!(error instanceof PublishError)) throw error;
            refusals.push(error.message);
            return [];
        });
        for (const message of allowed) report({ type: "note", level: "warn", message });
    }
    if (refusals.length > 0) throw new PublishError("verification", refusals.join("\n"));
}

async function countBuilt(client: PostgresClient, object: Published): Promise<number> {
    const { rows } = await client.query<{ rows: number }>(
        `select count(*)::float8 as rows from ${buildName(object)}`,
    );
    return rows[0]!.rows;
}

/** Events and results, one a published object. */
class Results {
    private readonly objects: readonly Published[];
    private readonly report: Report;
    private readonly started = new Map<string, number>();
    /** Seconds of the load or the refresh: what came after it was for all objects together. */
    private readonly seconds = new Map<string, number>();

    constructor(objects: readonly Published[], report: Report) {
        this.objects = objects;
        this.report = report;
    }

    start(object: Published): void {
        this.started.set(object.model, performance.now());
        this.report({ type: "node-start", ...describe(object), ...this.place(object) });
    }

    end(object: Published): void {
        const started = this.started.get(object.model);
        if (started !== undefined) this.seconds.set(object.model, (performance.now() - started) / 1000);
    }

    async succeed(
        client: PostgresClient,
        rowCounts: ReadonlyMap<string, number>,
    ): Promise<readonly NodeResult[]> {
        const results: NodeResult[] = [];
        for (const object of this.objects) {
            const rows = rowCounts.get(object.model);
            const { rows: sizes } = await client.query<{ bytes: number; columns: number }>(
                `select pg_table_size(oid)::float8 as bytes, relnatts::int as columns from pg_class where oid = to_regclass($1)`,
                [`"${object.schema}"."${object.name}"`],
            );
            results.push({
                ...this.result(object, "success"),
                ...(rows !== undefined && { rows }),
                ...sizes[0],
            });
        }
        for (const [index, result] of results.entries()) {
            this.report({ type: "node-end", result, index: index + 1, total: results.length });
        }
        return results;
    }

    /** What was loaded already only shares the fate of the whole: the reason is told once, by the run. */
    fail(message: string): void {
        for (const object of this.objects.filter(({ model }) => this.started.has(model))) {
            const isDone = this.seconds.has(object.model);
            this.report({
                type: "node-end",
                result: {
                    ...this.result(object, isDone ? "not_run" : "failed"),
                    ...(!isDone && { message }),
                },
                ...this.place(object),
            });
        }
    }

    private result(object: Published, status: NodeResult["status"]): NodeResult {
        return { ...describe(object), status, seconds: this.seconds.get(object.model) ?? 0 };
    }

    private place(object: Published): { readonly index: number; readonly total: number } {
        return { index: this.objects.indexOf(object) + 1, total: this.objects.length };
    }
}

function describe(object: Published): Pick<NodeResult, "name" | "kind" | "detail"> {
    return {
        name: `${object.schema}.${object.name}`,
        kind: "publish",
        detail: object.kind === "table" ? "table" : "materialized view",
    };
}

import { QueryError } from "../errors.ts";
import { type PostgresClient, withClient, withTransaction } from "../postgres/connect.ts";
import { copyOut } from "../postgres/copy-out.ts";
import { interruptedError } from "../postgres/query-failure.ts";
import type { NodeResult } from "../status/events.ts";
import type { Extracted, ExtractOptions, PostgresSource } from "./extraction.ts";
import { planSources, type SourcePlan } from "./source-catalog.ts";
import { createSourceTables, throttledProgress } from "./source-tables.ts";
import { withSpillFolder } from "./spill-folder.ts";
import { TableLoad } from "./table-load.ts";

/** Whoever asks for more has not thought of the server's other users. */
const mostConnections = 3;

interface Extraction extends ExtractOptions {
    readonly connection: PostgresSource;
    readonly folder: string;
    /** Sources that no session has taken yet, largest first. */
    readonly queue: { readonly plan: SourcePlan; readonly index: number }[];
    /** When the time is up, by performance.now(). */
    readonly deadline: number;
    readonly loads: Promise<NodeResult>[];
    readonly abandoned: Promise<void>[];
}

/**
 * Copies all sources from one snapshot. They are stored uncompressed, since staging alone reads them: of 1,000,000
 * rows of 19 columns that made 1.5 times the bare COPY out of 2.0 times. The snapshot is released when the last row
 * was read, whatever DuckDB still loads.
 */
export async function extractFromPostgres(
    options: ExtractOptions & { readonly connection: PostgresSource },
): Promise<Extracted> {
    const { project, connection, warehouse, signal } = options;
    return withSpillFolder(project.target.warehouse.spillDirectory, async (folder) => {
        // One failure ends the other sessions, too.
        const failure = new AbortController();
        const extraction: Extraction = {
            ...options,
            signal: AbortSignal.any([signal, failure.signal]),
            folder,
            queue: [],
            deadline: performance.now() + connection.timeBudgetSeconds * 1000,
            loads: [],
            abandoned: [],
        };
        const interrupt = () => warehouse.interrupt();
        extraction.signal.addEventListener("abort", interrupt, { once: true });
        let first: { readonly error: unknown } | undefined;
        const fail = (error: unknown): never => {
            first ??= { error };
            failure.abort();
            // After Ctrl-C the first error is whichever side noticed first.
            throw signal.aborted ? interruptedError(first.error) : first.error;
        };
        let plans: readonly SourcePlan[] = [];
        let snapshotAt = new Date();
        try {
            await withSession(extraction, undefined, async (client) => {
                const { rows } = await client.query<{ at: number }>(
                    "select (extract(epoch from now()) * 1000)::float8 as at",
                );
                snapshotAt = new Date(rows[0]!.at);
                plans = await planSources(client, connection.schema, project.sources);
                await createSourceTables(warehouse, project.sources);
                await warehouse.execute("set global force_compression = 'uncompressed'");
                extraction.queue.push(...bySize(plans));
                await copyWithAll(client, extraction, fail);
            }).catch(fail);
            const results = await Promise.all(extraction.loads).catch(fail);
            return { results: inOrder(results, plans), snapshotAt, missingOptional: missingColumns(plans) };
        } finally {
            // Files may only go when nobody reads them any more.
            await Promise.allSettled([...extraction.loads, ...extraction.abandoned]);
            await warehouse.execute("set global force_compression = 'auto'").catch(() => {});
            extraction.signal.removeEventListener("abort", interrupt);
        }
    });
}

/** The first session copies as the others do; they see what it sees. */
async function copyWithAll(
    client: PostgresClient,
    extraction: Extraction,
    fail: (error: unknown) => never,
): Promise<void> {
    const { connection, project } = extraction;
    const sessions = Math.min(connection.connections, mostConnections, project.sources.length);
    if (sessions <= 1) return copyQueue(client, extraction);
    const { rows } = await client.query<{ id: string }>("select pg_export_snapshot() as id");
    // The exporting transaction must be open until the others have taken the snapshot over.
    const joined: Promise<void>[] = [];
    const others = Array.from({ length: sessions - 1 }, () => {
        let onJoined = () => {};
        joined.push(new Promise((resolve) => (onJoined = resolve)));
        return withSession(extraction, rows[0]!.id, (other) => {
            onJoined();
            return copyQueue(other, extraction);
        })
            .catch(fail)
            .finally(onJoined);
    });
    await Promise.all([
        copyQueue(client, extraction)
            .catch(fail)
            .then(() => Promise.all(joined)),
        ...others,
    ]);
}

/** A session with one read-only transaction on the snapshot. */
async function withSession<T>(
    { connection, signal }: Extraction,
    snapshot: string | undefined,
    callback: (client: PostgresClient) => Promise<T>,
): Promise<T> {
    return withClient({ url: connection.url, applicationName: "rebuild extract", signal }, (client) =>
        withTransaction(client, { isolation: "repeatable read", readOnly: true }, async () => {
            if (snapshot !== undefined) await client.query(`set transaction snapshot '${snapshot}'`);
            // Row security then is an error; the default is to leave rows out without a word.
            await client.query("set local row_security = off");
            return callback(client);
        }),
    );
}

async function copyQueue(client: PostgresClient, extraction: Extraction): Promise<void> {
    for (let next = extraction.queue.shift(); next; next = extraction.queue.shift()) {
        await copySource(client, extraction, next.plan, next.index);
    }
}

async function copySource(
    client: PostgresClient,
    extraction: Extraction,
    plan: SourcePlan,
    index: number,
): Promise<void> {
    const { report, warehouse, folder, project, connection, deadline, loads } = extraction;
    const { source, table, estimatedRows } = plan;
    const node = { name: source.name, kind: "source", detail: table } as const;
    const position = { index, total: project.sources.length };
    const started = performance.now();
    report({ type: "node-start", ...node, ...position });
    const progress = throttledProgress(report, source.name, estimatedRows);
    const load = new TableLoad(plan, warehouse, folder, progress);
    try {
        const budget = Math.max(1, Math.ceil(deadline - performance.now()));
        await client.query(`set local statement_timeout = ${budget}`);
        await copyOut(client, `copy (${load.query}) to stdout (format binary)`, load);
        const loading = load.finish().then((): NodeResult => {
            const seconds = (performance.now() - started) / 1000;
            const { rows, bytes } = load;
            const result = {
                ...node,
                status: "success",
                seconds,
                rows,
                columns: plan.columns.length,
                bytes,
            } as const;
            report({ type: "node-end", result, ...position });
            return result;
        });
        loading.catch(() => {});
        loads.push(loading);
    } catch (error) {
        extraction.abandoned.push(load.abandon());
        throw explain(error, table, connection);
    }
}

function explain(error: unknown, table: string, { timeBudgetSeconds }: PostgresSource): unknown {
    if (!(error instanceof QueryError) || error.failure.engine !== "postgres") return error;
    const { code } = error.failure;
    if (error.message === "Interrupted.") return error;
    const advice =
        code === "57014"
            ? ` The time budget of ${timeBudgetSeconds} s is used up: a snapshot that is held for long holds back vacuum. Raise time_budget_seconds of the source connection if that is all right.`
            : code === "42501"
              ? " Grant select to the user; where row security is on, also bypassrls, or read a view of the table's owner."
              : "";
    return new QueryError(`${table}: ${error.message}${advice}`, error.failure, { cause: error });
}

function bySize(plans: readonly SourcePlan[]): Extraction["queue"] {
    return plans
        .map((plan, index) => ({ plan, index: index + 1 }))
        .sort((one, other) => (other.plan.estimatedRows ?? 0) - (one.plan.estimatedRows ?? 0));
}

function inOrder(results: readonly NodeResult[], plans: readonly SourcePlan[]): readonly NodeResult[] {
    return plans.flatMap(({ source }) => results.find(({ name }) => name === source.name) ?? []);
}

function missingColumns(plans: readonly SourcePlan[]): Extracted["missingOptional"] {
    return plans.flatMap(({ source, columns }) =>
        columns
            .filter(({ transport }) => !transport)
            .map(({ column }) => ({ source: source.name, column: column.name })),
    );
}

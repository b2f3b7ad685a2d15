import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { registerPassword, registerSecret } from "../secrets.ts";
import { sendCancelRequest } from "./cancel-request.ts";
import { retryBudgetMs, toConnectError } from "./connect-failure.ts";
import { type ConnectionSettings, describeConnection, parseConnection } from "./connection-settings.ts";
import { interruptedError, toQueryError } from "./query-failure.ts";

export { describeConnection };

export interface ConnectOptions {
    readonly url: string;
    /** Shown in pg_stat_activity. Default: rebuild. */
    readonly applicationName?: string;
    /** Default 0: no limit, whatever the server's own default is. */
    readonly statementTimeoutMs?: number;
    /** When aborted, the running statement is cancelled and the connection closed, within a second. */
    readonly signal?: AbortSignal;
    /** Of one attempt. Default: the URL's connect_timeout, or 15 s. */
    readonly connectTimeoutMs?: number;
    /** False: one attempt. Default: again with growing pauses, where that may help. */
    readonly retry?: boolean;
}

/** One session of Postgres. Every statement's error is a QueryError with SQLSTATE and offset. */
export interface PostgresClient {
    /** The server's process: `pg_backend_pid()`. */
    readonly processId: number;
    /** Such as 150004. */
    readonly serverVersion: number;
    /**
     * Runs one statement; several, separated by semicolons, where there are no values. Booleans, integers
     * up to 32 bits and floats come as such, bigint as BigInt, arrays as arrays, all else as text in ISO form.
     */
    query<Row = Record<string, unknown>>(
        sql: string,
        values?: readonly unknown[],
    ): Promise<QueryOutcome<Row>>;
    /** The driver's own client, for COPY in this room. */
    readonly driver: pg.Client;
}

interface QueryOutcome<Row> {
    readonly rows: readonly Row[];
    /** Rows returned or changed. */
    readonly rowCount: number;
}

export interface TransactionOptions {
    /** Default: read committed. */
    readonly isolation?: "read committed" | "repeatable read" | "serializable";
    readonly readOnly?: boolean;
}

/** How long a session may take to end by itself before its socket is destroyed. */
const farewellMs = 1000;
/** How long a cancelled statement may take to end before its socket is destroyed. */
const cancelGraceMs = 300;

/** A session with fixed settings for as long as the callback runs. */
export async function withClient<T>(
    options: ConnectOptions,
    callback: (client: PostgresClient) => Promise<T>,
): Promise<T> {
    const settings = parseConnection(options.url);
    registerSecret(options.url);
    registerPassword(settings.password, settings.user);
    const driver = await connectWithRetry(settings, options);
    const stop = stopOnAbort(driver, settings, options.signal);
    try {
        const client = await prepareSession(driver, options);
        return await callback(client);
    } catch (error) {
        if (options.signal?.aborted) throw interruptedError(error);
        throw error;
    } finally {
        stop();
        await endSession(driver);
    }
}

/** Commits when the callback resolves, rolls back when it throws. */
export async function withTransaction<T>(
    client: PostgresClient,
    { isolation = "read committed", readOnly = false }: TransactionOptions,
    callback: () => Promise<T>,
): Promise<T> {
    await client.query(`begin isolation level ${isolation} ${readOnly ? "read only" : "read write"}`);
    let result: T;
    try {
        result = await callback();
    } catch (error) {
        // The first error is the one that tells something; a dead connection has rolled back by itself.
        await client.query("rollback").catch(() => {});
        throw error;
    }
    await client.query("commit");
    return result;
}

async function connectWithRetry(settings: ConnectionSettings, options: ConnectOptions): Promise<pg.Client> {
    const started = Date.now();
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2000)) {
        if (options.signal?.aborted) throw interruptedError();
        const driver = makeDriver(settings, options);
        try {
            await driver.connect();
            return driver;
        } catch (error) {
            driver.end().catch(() => {});
            const elapsed = Date.now() - started;
            if (options.retry === false || elapsed + pauseMs > retryBudgetMs(error)) {
                throw await toConnectError(error, settings, describeConnection(options.url));
            }
            await sleep(pauseMs, undefined, options.signal && { signal: options.signal }).catch(() => {});
        }
    }
}

function makeDriver(
    settings: ConnectionSettings,
    { applicationName = "rebuild", connectTimeoutMs = settings.connectTimeoutMs }: ConnectOptions,
): pg.Client {
    const { host, port, user, password, database, tls, options } = settings;
    const driver = new pg.Client({
        host,
        port,
        user,
        ...(password !== undefined && { password }),
        database,
        ssl: tls,
        ...(options !== undefined && { options }),
        application_name: applicationName,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        types: { getTypeParser },
    });
    // A connection that breaks between two statements must not end the process; the next statement reports it.
    driver.on("error", () => {});
    return driver;
}

const bigintOid = 20;
/** date, time, timestamp, timestamptz, interval, and the arrays of them: a JavaScript Date would lose digits. */
const textOids: ReadonlySet<number> = new Set([1082, 1083, 1114, 1184, 1186, 1182, 1115, 1185, 1187]);

const getTypeParser = ((oid: number, format?: "text" | "binary") => {
    if (oid === bigintOid) return (text: string) => BigInt(text);
    if (textOids.has(oid)) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as "text");
}) as typeof pg.types.getTypeParser;

/** Settings that the reading of values and the holding of locks rely on, whatever the role's defaults are. */
async function prepareSession(driver: pg.Client, options: ConnectOptions): Promise<PostgresClient> {
    const client = wrapDriver(driver, options.signal);
    const wanted = {
        TimeZone: "UTC",
        DateStyle: "ISO, YMD",
        IntervalStyle: "postgres",
        extra_float_digits: "3",
        standard_conforming_strings: "on",
        client_min_messages: "warning",
        statement_timeout: String(options.statementTimeoutMs ?? 0),
        lock_timeout: "0",
        idle_in_transaction_session_timeout: "0",
        // Absent before Postgres 14 and 17, hence the join.
        idle_session_timeout: "0",
        transaction_timeout: "0",
    };
    const { rows } = await client.query<{ version: number }>(
        `select
            current_setting('server_version_num')::int as version,
            set_config(wanted.key, wanted.value, false)
        from json_each_text($1) as wanted
        join pg_catalog.pg_settings as known on known.name = wanted.key`,
        [JSON.stringify(wanted)],
    );
    return { ...client, serverVersion: rows[0]!.version };
}

function wrapDriver(driver: pg.Client, signal: AbortSignal | undefined): PostgresClient {
    return {
        // @types/pg leaves the property out.
        processId: (driver as unknown as { readonly processID: number }).processID,
        serverVersion: 0,
        driver,
        async query<Row>(sql: string, values?: readonly unknown[]): Promise<QueryOutcome<Row>> {
            if (signal?.aborted) throw interruptedError();
            try {
                const result = await driver.query(sql, values as unknown[] | undefined);
                // Several statements have several results: the last one counts.
                const last = Array.isArray(result) ? result.at(-1) : result;
                return { rows: last.rows as Row[], rowCount: last.rowCount ?? 0 };
            } catch (error) {
                throw signal?.aborted ? interruptedError(error) : toQueryError(error, sql);
            }
        },
    };
}

/** Cancels what runs when the signal is aborted. Returns the function that takes the listener away. */
function stopOnAbort(
    driver: pg.Client,
    settings: ConnectionSettings,
    signal: AbortSignal | undefined,
): () => void {
    if (!signal) return () => {};
    const abort = () => {
        sendCancelRequest(settings, driver as unknown as { processID: number; secretKey: number }).catch(
            () => {},
        );
        setTimeout(() => destroySocket(driver), cancelGraceMs).unref();
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
}

async function endSession(driver: pg.Client): Promise<void> {
    const timer = setTimeout(() => destroySocket(driver), farewellMs);
    await driver.end().catch(() => {});
    clearTimeout(timer);
}

function destroySocket(driver: pg.Client): void {
    (driver as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import { QueryError } from "../errors.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { interruptedError, toQueryError } from "./query-failure.ts";
import { type ResultColumn, resultColumn } from "./raw-chunk.ts";

/**
 * Streams a query's chunks through `convert`.
 *
 * The client library reports an error in the middle of a stream as its end, so that a conversion that fails
 * at row 20 million looks like a table of 20 million rows. Such an error does abort the transaction
 * around it: every stream has one of its own, and it is asked at the end.
 */
export async function* streamChunks<T>(
    pool: ConnectionPool,
    sql: string,
    convert: (chunk: DuckDBDataChunk, columns: readonly ResultColumn[]) => T,
): AsyncGenerator<T> {
    const connection = await pool.acquire();
    let finished = false;
    let pending: Promise<DuckDBDataChunk | null> | undefined;
    try {
        await pool.track(connection.run("begin transaction read only"));
        const result = await pool.track(connection.stream(sql));
        const columns = result
            .deduplicatedColumnNames()
            .map((name, index) => resultColumn(name, result.columnType(index)));
        const fetch = () => {
            const next = pool.track(result.fetchChunk());
            // Nobody waits for it yet; who does is told.
            next.catch(() => undefined);
            return next;
        };
        pending = fetch();
        for (;;) {
            const chunk = await pending;
            if (!chunk || chunk.rowCount === 0) break;
            // The engine reads on while the chunk is worked on.
            pending = fetch();
            yield convert(chunk, columns);
        }
        await pool.track(assertNotAborted(pool, connection, sql));
        await pool.track(connection.run("commit"));
        finished = true;
    } catch (error) {
        throw toQueryError(error, sql);
    } finally {
        if (finished) pool.release(connection);
        else {
            // Nobody will take the chunk that was asked for.
            connection.interrupt();
            await pending?.catch(() => undefined);
            await pool.discard(connection);
        }
    }
}

async function assertNotAborted(
    pool: ConnectionPool,
    connection: DuckDBConnection,
    sql: string,
): Promise<void> {
    try {
        await connection.run("select 1");
    } catch (aborted) {
        await connection.run("rollback");
        if (pool.wasInterrupted(connection)) throw interruptedError(sql);
        await rethrowCause(connection, sql);
        throw new QueryError(
            "The rows broke off in the middle, and the query succeeded when it was run again: " +
                "look for what was short at that moment, such as memory or disk.",
            { engine: "duckdb", sql },
            { cause: aborted },
        );
    }
}

/** Runs the query once more without keeping its rows: the only way to have the error's text. */
async function rethrowCause(connection: DuckDBConnection, sql: string): Promise<void> {
    const prefix = "explain analyze\n";
    try {
        await connection.run(prefix + sql);
    } catch (error) {
        const { message, failure } = toQueryError(error, prefix + sql);
        const offset = failure.offset === undefined ? {} : { offset: failure.offset - prefix.length };
        throw new QueryError(message, { ...failure, sql, ...offset }, { cause: error });
    }
}

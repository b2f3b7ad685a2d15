import {
    type DuckDBAppender,
    type DuckDBConnection,
    DuckDBDataChunk,
    type DuckDBType,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { ColumnChunk } from "../model.ts";
import { nearestNames, quoteName } from "../names.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { toQueryError } from "./query-failure.ts";
import type { WarehouseAppender } from "./types.ts";
import { type ColumnWriter, columnWriter } from "./write-column.ts";

/** DuckDB's vectors hold this many rows, so a chunk that is appended holds no more. */
const vectorSize = 2048;

/** All rows go in within one transaction: after `abort`, or a crash, the table is as it was before. */
export async function openAppender(
    pool: ConnectionPool,
    schema: string,
    table: string,
): Promise<WarehouseAppender> {
    const connection = await pool.acquire();
    const statement = `append to ${schema}.${table}`;
    const begin = async () => {
        await connection.run("begin transaction");
        const appender = await connection.createAppender(table, schema);
        const names = await columnNames(connection, schema, table);
        return new ChunkAppender(pool, connection, appender, names, statement);
    };
    try {
        return await pool.track(begin());
    } catch (error) {
        await pool.discard(connection);
        throw toQueryError(error, statement);
    }
}

async function columnNames(connection: DuckDBConnection, schema: string, table: string) {
    const prepared = await connection.prepare(`select * from ${quoteName(schema)}.${quoteName(table)}`);
    try {
        return Array.from({ length: prepared.columnCount }, (_, index) => prepared.columnName(index));
    } finally {
        prepared.destroySync();
    }
}

class ChunkAppender implements WarehouseAppender {
    readonly #pool: ConnectionPool;
    readonly #connection: DuckDBConnection;
    readonly #appender: DuckDBAppender;
    readonly #names: readonly string[];
    readonly #writers: readonly ColumnWriter[];
    readonly #chunk: DuckDBDataChunk;
    readonly #statement: string;
    #open = true;

    constructor(
        pool: ConnectionPool,
        connection: DuckDBConnection,
        appender: DuckDBAppender,
        names: readonly string[],
        statement: string,
    ) {
        this.#pool = pool;
        this.#connection = connection;
        this.#appender = appender;
        this.#names = names;
        this.#statement = statement;
        const types: DuckDBType[] = names.map((_, index) => appender.columnType(index));
        this.#writers = names.map((name, index) => columnWriter(name, types[index]!));
        this.#chunk = DuckDBDataChunk.create(types);
    }

    async write(chunk: ColumnChunk): Promise<void> {
        if (!this.#open) throw new Error(`${this.#statement}: the appender is closed`);
        this.#assertColumns(chunk);
        try {
            for (let start = 0; start < chunk.rowCount; start += vectorSize) {
                this.#writeSlice(chunk, start, Math.min(vectorSize, chunk.rowCount - start));
            }
        } catch (error) {
            throw toQueryError(error, this.#statement);
        }
    }

    #writeSlice(chunk: ColumnChunk, start: number, count: number): void {
        this.#chunk.reset();
        this.#chunk.rowCount = count;
        for (const [index, name] of this.#names.entries()) {
            const vector = duckdb.data_chunk_get_vector(this.#chunk.chunk, index);
            this.#writers[index]!(vector, chunk.columns[name]!, start, count);
        }
        this.#appender.appendDataChunk(this.#chunk);
    }

    #assertColumns(chunk: ColumnChunk): void {
        const given = Object.keys(chunk.columns);
        const missing = this.#names.filter((name) => !chunk.columns[name]);
        if (missing.length === 0 && given.length === this.#names.length) return;
        const unknown = given.filter((name) => !this.#names.includes(name));
        const hints = unknown.map((name) => {
            const near = nearestNames(name, this.#names);
            return near.length > 0 ? `${name} (did you mean ${near.join(", ")}?)` : name;
        });
        throw new Error(
            [
                `${this.#statement}: the chunk's columns are not the table's`,
                missing.length > 0 && `missing: ${missing.join(", ")}`,
                unknown.length > 0 && `unknown: ${hints.join(", ")}`,
            ]
                .filter(Boolean)
                .join("; "),
        );
    }

    async close(): Promise<void> {
        if (!this.#open) return;
        this.#open = false;
        try {
            this.#appender.closeSync();
            await this.#pool.track(this.#connection.run("commit"));
        } catch (error) {
            await this.#pool.discard(this.#connection);
            throw toQueryError(error, this.#statement);
        }
        this.#pool.release(this.#connection);
    }

    async abort(): Promise<void> {
        if (!this.#open) return;
        this.#open = false;
        this.#appender.clear();
        await this.#pool.discard(this.#connection);
    }
}

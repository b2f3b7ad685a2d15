import type { ColumnChunk } from "../model.ts";

/** A DuckDB database that is open. Every statement's error is a QueryError with the engine's offset. */
export interface Warehouse {
    readonly path: string;
    /** Runs statements for their effect, on a connection of the pool. */
    execute(sql: string): Promise<void>;
    /** All rows as JavaScript objects (bigint as BigInt, date as ISO text, decimal as text). For small results. */
    rows(sql: string): Promise<readonly Record<string, unknown>[]>;
    /** Rows as column chunks, in the query's order, streaming. */
    read(sql: string): AsyncIterable<ColumnChunk>;
    /** Names and DuckDB types of a query's columns, without running it. */
    describe(sql: string): Promise<readonly { readonly name: string; readonly type: string }[]>;
    /** An appender to an existing table. `close` flushes; `abort` drops what was not flushed. */
    append(schema: string, table: string): Promise<WarehouseAppender>;
    /** Interrupts what runs. */
    interrupt(): void;
}

export interface WarehouseAppender {
    write(chunk: ColumnChunk): Promise<void>;
    close(): Promise<void>;
    abort(): void;
}

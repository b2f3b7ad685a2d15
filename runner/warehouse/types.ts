import type { ColumnChunk } from "../model.ts";

/** A DuckDB database that is open. Every statement's error is a QueryError with the engine's offset. */
export interface Warehouse {
    readonly path: string;
    /** Runs statements for their effect, on a connection of the pool. */
    execute(sql: string): Promise<void>;
    /** Runs statements in one transaction: all of them or, when one fails, none. */
    executeAll(statements: readonly string[]): Promise<void>;
    /** All rows as JavaScript objects (bigint as BigInt, date as ISO text, decimal as text). For small results. */
    rows(sql: string): Promise<readonly Record<string, unknown>[]>;
    /** Rows as column chunks, in the query's order, streaming. */
    read(sql: string): AsyncIterable<ColumnChunk>;
    /**
     * Rows as DuckDB holds them in memory, in the query's order, streaming: for encoders that must not pay
     * for a JavaScript value per value.
     */
    readRaw(sql: string): AsyncIterable<RawChunk>;
    /** Names and DuckDB types of a query's columns, without running it. */
    describe(sql: string): Promise<readonly ColumnType[]>;
    /** An appender to an existing table. `close` commits all that was written; `abort` drops it. */
    append(schema: string, table: string): Promise<WarehouseAppender>;
    /** Gives every query this many threads for the time of the callback, in all databases beside this one, too. */
    withThreads<T>(threads: number, callback: () => Promise<T>): Promise<T>;
    /** Interrupts what runs. */
    interrupt(): void;
    /**
     * An empty database in memory beside this one, for the time of the callback. Names without a catalog mean
     * its own; this one's relations are read as `<base>.main.<name>`. Both share the memory limit, and what does
     * not fit is spilled.
     */
    scratch<T>(callback: (scratch: Warehouse, base: string) => Promise<T>): Promise<T>;
}

/** `type` is what DuckDB prints: `BIGINT`, `DECIMAL(12,2)`, `ENUM('a', 'b')`, `INTEGER[]`. */
export interface ColumnType {
    readonly name: string;
    readonly type: string;
}

/** At most 2048 rows. The arrays are copies: they stay good after the next chunk was read. */
export interface RawChunk {
    readonly rowCount: number;
    /** In the order of the query. */
    readonly columns: readonly RawColumn[];
}

/**
 * One column of a chunk in DuckDB's own layout, little-endian.
 *
 * | layout | bytes a row | types |
 * |---|---|---|
 * | int8, uint8, ... int64, uint64, float32, float64 | 1 to 8 | boolean is uint8; decimal is the scaled integer: int16 (w <= 4), int32 (w <= 9), int64 (w <= 18), else int128; date is int32 days, timestamp(tz) int64 microseconds since 1970; time int64 microseconds; enum is uint8, uint16 or uint32, an index into `enumValues` |
 * | int128, uint128 | 16 | hugeint, uhugeint; uuid is int128 with the highest bit flipped; lower half first |
 * | interval | 16 | int32 months, int32 days, int64 microseconds |
 * | bytes | 16 | varchar, blob, bit: uint32 length; up to 12 bytes follow inline, longer values are had from `bytes(row)` |
 * | list | 16 | uint64 offset, uint64 length in `child` |
 */
export interface RawColumn {
    readonly name: string;
    readonly type: string;
    readonly layout: RawLayout;
    /** At least `rowCount` times the layout's width. A NULL's bytes are undefined. */
    readonly data: Uint8Array;
    /** One bit a row, lowest bit of byte 0 first, 1 is a value; absent: no NULLs. */
    readonly validity?: Uint8Array;
    /** Layout `bytes`: the value of a row that is not NULL, short or long. */
    bytes?(row: number): Uint8Array;
    /**
     * Layout `bytes`: copies the value of a row that is not NULL; true where a byte of it is 0. Much faster for whole
     * columns.
     */
    copyBytes?(row: number, target: DataView, at: number): boolean;
    readonly enumValues?: readonly string[];
    /** Decimals: digits after the point. */
    readonly scale?: number;
    /** Lists: the elements of all rows. */
    readonly child?: RawColumn;
}

export type RawLayout =
    | "int8"
    | "int16"
    | "int32"
    | "int64"
    | "int128"
    | "uint8"
    | "uint16"
    | "uint32"
    | "uint64"
    | "uint128"
    | "float32"
    | "float64"
    | "interval"
    | "bytes"
    | "list";

export interface WarehouseAppender {
    write(chunk: ColumnChunk): Promise<void>;
    close(): Promise<void>;
    abort(): Promise<void>;
}

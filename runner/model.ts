import type { VarValue } from "./project/project.ts";

/**
 * Values of one column of a chunk, by the column's DuckDB type:
 *
 * | type | read | also accepted when written |
 * |---|---|---|
 * | boolean | Uint8Array of 0 and 1 | |
 * | tinyint, smallint, integer and unsigned; float, double | the typed array of that width | any other typed array of numbers |
 * | bigint; ubigint | BigInt64Array; BigUint64Array | any typed array of integers |
 * | date | Int32Array, days since 1970-01-01 | |
 * | timestamp, timestamptz; time | BigInt64Array, microseconds since 1970-01-01 (UTC); since midnight | |
 * | varchar, enum | array of text | |
 * | blob | array of Uint8Array | |
 * | decimal(w,s) | array of text, exact | scaled integers: Int16Array (w <= 4), Int32Array (w <= 9), BigInt64Array (w <= 18); Float64Array, rounded |
 * | interval | array of text, as DuckDB prints it | BigInt64Array, two a row: days << 32 + months, microseconds |
 * | hugeint, uuid | array of text | |
 * | lists, structs, everything else | array of text, as DuckDB prints it | not written |
 */
export type ColumnValues =
    | Int8Array
    | Int16Array
    | Int32Array
    | Uint8Array
    | Uint16Array
    | Uint32Array
    | BigInt64Array
    | BigUint64Array
    | Float32Array
    | Float64Array
    | readonly (string | null)[]
    | readonly (Uint8Array | null)[];

export interface Column {
    readonly values: ColumnValues;
    /** 1 where the row has a value, 0 where it is NULL; absent: no NULLs. */
    readonly valid?: Uint8Array;
}

/** Rows as columns: each column has `rowCount` values (its array may be longer). */
export interface ColumnChunk {
    readonly rowCount: number;
    readonly columns: Readonly<Record<string, Column>>;
}

export interface ModelContext {
    /** The relation's name in the warehouse; the name must be among the model's `refs`. */
    ref(name: string): string;
    readonly vars: Readonly<Record<string, VarValue>>;
    /** Rows of a DuckDB query, chunk by chunk, in its order. */
    read(sql: string): AsyncIterable<ColumnChunk>;
    /** Appends rows to the model's table. */
    write(chunk: ColumnChunk): Promise<void>;
    /** Aborted when the run is interrupted. */
    readonly signal: AbortSignal;
}

/** A model that is sequential by nature, written in TypeScript. Its file's default export. */
export interface TypeScriptModel {
    readonly refs: readonly string[];
    /** Columns of the table, in order, with DuckDB's types. */
    readonly columns: Readonly<Record<string, string>>;
    run(context: ModelContext): Promise<void>;
}

export function defineModel(model: TypeScriptModel): TypeScriptModel {
    return Object.freeze(model);
}

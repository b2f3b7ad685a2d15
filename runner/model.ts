import type { VarValue } from "./project/project.ts";

/**
 * Values of one column of a chunk. Numbers of up to 32 bits and floats come as typed arrays; bigint as
 * BigInt64Array; date as Int32Array of days since 1970-01-01; boolean as Uint8Array; text as an array.
 */
export type ColumnValues =
    | Int8Array
    | Int16Array
    | Int32Array
    | Uint8Array
    | Uint16Array
    | Uint32Array
    | BigInt64Array
    | Float32Array
    | Float64Array
    | readonly (string | null)[];

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

import type duckdb from "@duckdb/node-bindings";
import type { ColumnValues } from "../model.ts";

/** Rows `start` to `start + count` of a column's values, and which of them are not NULL (absent: all). */
export interface Slice {
    readonly values: ColumnValues;
    readonly start: number;
    readonly count: number;
    readonly valid?: Uint8Array;
    /** For messages: `column margin (DECIMAL(8,2))`. */
    readonly label: string;
}

/** Puts the values of a slice into the first rows of a vector; NULLs are somebody else's work. */
export type Fill = (vector: duckdb.Vector, slice: Slice) => void;

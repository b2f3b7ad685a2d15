import type { RawColumn } from "../warehouse/types.ts";

/**
 * One column of one chunk on its way into COPY's binary rows. The encoder goes through a chunk column by
 * column, not row by row: each loop then sees one type only, which V8 turns into tight code.
 */
export interface ColumnEncoder {
    /**
     * Returns the bytes that every row needs, the length word included, and adds what a row needs beyond to `sizes`.
     */
    measure(sizes: Int32Array): number;
    /** Writes the fields of the rows `from` to `to` (exclusive) at their cursors, and moves the cursors behind them. */
    write(target: Buffer, view: DataView, cursors: Int32Array, from: number, to: number): void;
}

export function isValid(validity: Uint8Array | undefined, row: number): boolean {
    return validity === undefined || ((validity[row >> 3]! >> (row & 7)) & 1) === 1;
}

export type TypedValues =
    | Int8Array
    | Int16Array
    | Int32Array
    | Uint8Array
    | Uint16Array
    | Uint32Array
    | BigInt64Array
    | BigUint64Array
    | Float32Array
    | Float64Array;

const arrays = {
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    int64: BigInt64Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    uint64: BigUint64Array,
    float32: Float32Array,
    float64: Float64Array,
    // Read through a DataView; the array only has to exist.
    int128: Uint8Array,
    uint128: Uint8Array,
    interval: Uint8Array,
    bytes: Uint8Array,
    list: Uint8Array,
};

export function typedValues(column: RawColumn, rowCount: number): TypedValues {
    const data = aligned(column);
    return new arrays[column.layout](data.buffer, data.byteOffset, rowCount);
}

/** Typed arrays want their bytes at a multiple of eight. */
export function aligned({ data }: RawColumn): { readonly buffer: ArrayBuffer; readonly byteOffset: number } {
    const { buffer, byteOffset } = data.byteOffset % 8 === 0 ? data : data.slice();
    return { buffer: buffer as ArrayBuffer, byteOffset };
}

/** A value that Postgres has no room for. */
export class UnencodableValue extends Error {
    readonly row: number;
    constructor(row: number, message: string) {
        super(message);
        this.row = row;
    }
}

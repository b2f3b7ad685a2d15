/** Physical types of Parquet. */
export const physicalTypes = { int32: 1, int64: 2, float: 4, double: 5, bytes: 6, fixed: 7 } as const;
type PhysicalType = keyof typeof physicalTypes;

/** What the physical values mean; absent: themselves. */
export type Meaning =
    | { readonly kind: "utf8" | "date" | "time" | "timestamp" | "timestamptz" }
    | { readonly kind: "integer"; readonly bits: 8 | 16 | 32 | 64; readonly isSigned: boolean }
    | { readonly kind: "decimal"; readonly precision: number; readonly scale: number };

export interface ParquetColumn {
    readonly name: string;
    readonly physical: PhysicalType;
    readonly meaning?: Meaning;
}

const firstBytes = 1 << 14;

/**
 * Values of one column of a row group as Parquet stores them (PLAIN): little-endian, one after the other, none for a
 * NULL; bytes behind their length. Fields are open to the decoder: a call per value would cost more than the value.
 */
export class ColumnBuffer {
    readonly column: ParquetColumn;
    bytes: Uint8Array;
    view: DataView;
    /** Bytes used. */
    length = 0;
    nullCount = 0;
    /** One bit a row, lowest first, 1 is a value: also the layout of Parquet's definition levels. */
    readonly validity: Uint8Array;

    constructor(column: ParquetColumn, rowCapacity: number) {
        this.column = column;
        this.bytes = new Uint8Array(firstBytes);
        this.view = new DataView(this.bytes.buffer);
        this.validity = new Uint8Array(Math.ceil(rowCapacity / 8)).fill(255);
    }

    /** Makes room for `more` bytes. */
    grow(more: number): void {
        const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
        larger.set(this.bytes.subarray(0, this.length));
        this.bytes = larger;
        this.view = new DataView(larger.buffer);
    }

    markNull(row: number): void {
        this.validity[row >> 3]! &= ~(1 << (row & 7));
        this.nullCount++;
    }

    reset(): void {
        if (this.nullCount > 0) this.validity.fill(255);
        this.length = 0;
        this.nullCount = 0;
    }
}

import type { RawColumn } from "../warehouse/types.ts";
import { aligned, type ColumnEncoder, isValid, typedValues, UnencodableValue } from "./raw-values.ts";

/** Days and microseconds from DuckDB's epoch, 1970, to that of Postgres, 2000. */
const epochDays = 10_957;
const epochMicros = 946_684_800_000_000n;

export function fixedEncoder(column: RawColumn, rowCount: number, oid: number): ColumnEncoder {
    const { validity } = column;
    const { width, write } = fixedColumn(column, rowCount, oid);
    return {
        measure(sizes) {
            if (!validity) return 4 + width;
            for (let row = 0; row < rowCount; row++) if (isValid(validity, row)) sizes[row]! += width;
            return 4;
        },
        write: (_target, view, cursors, from, to) => write(view, cursors, from, to),
    };
}

interface FixedColumn {
    readonly width: number;
    write(view: DataView, cursors: Int32Array, from: number, to: number): void;
}

/**
 * Columns of one width share one loop, over bits rather than numbers: the payload of a NaN survives, and no
 * BigInt is made.
 */
function fixedColumn(column: RawColumn, rowCount: number, oid: number): FixedColumn {
    switch (oid) {
        case 16:
            return bytesColumn(typedValues(column, rowCount) as Uint8Array, column.validity);
        case 21:
            return shortColumn(new Int16Array(typedValues(column, rowCount) as Int8Array), column.validity);
        case 23:
            return wordColumn(new Int32Array(typedValues(column, rowCount) as Int32Array), column.validity);
        case 700:
            return wordColumn(
                new Int32Array(aligned(column).buffer, aligned(column).byteOffset, rowCount),
                column.validity,
            );
        case 1082:
            return wordColumn(dates(column, rowCount), column.validity);
        case 20:
            return column.layout === "uint32"
                ? pairColumn(widen(typedValues(column, rowCount) as Uint32Array), column.validity)
                : pairColumn(pairsOf(column, rowCount), column.validity);
        case 701:
        case 1083:
            return pairColumn(pairsOf(column, rowCount), column.validity);
        case 1114:
        case 1184:
            return pairColumn(timestamps(column, rowCount), column.validity);
        case 1186:
            return wideColumn(column, intervalWriter(column));
        case 2950:
            return wideColumn(column, uuidWriter(column));
        default:
            throw new Error(`no encoder for the type with OID ${oid}`);
    }
}

function bytesColumn(values: Uint8Array, validity: Uint8Array | undefined): FixedColumn {
    return {
        width: 1,
        write(view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, 1);
                    view.setUint8(at + 4, values[row]! === 0 ? 0 : 1);
                    cursors[row] = at + 5;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

function shortColumn(values: Int16Array, validity: Uint8Array | undefined): FixedColumn {
    return {
        width: 2,
        write(view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, 2);
                    view.setInt16(at + 4, values[row]!);
                    cursors[row] = at + 6;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

function wordColumn(values: Int32Array, validity: Uint8Array | undefined): FixedColumn {
    return {
        width: 4,
        write(view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, 4);
                    view.setInt32(at + 4, values[row]!);
                    cursors[row] = at + 8;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

/** Values of 64 bits as pairs of words, the lower one first. */
function pairColumn(pairs: Uint32Array, validity: Uint8Array | undefined): FixedColumn {
    return {
        width: 8,
        write(view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, 8);
                    view.setUint32(at + 4, pairs[2 * row + 1]!);
                    view.setUint32(at + 8, pairs[2 * row]!);
                    cursors[row] = at + 12;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

type Put = (view: DataView, at: number, row: number) => void;

function wideColumn({ validity }: RawColumn, put: Put): FixedColumn {
    return {
        width: 16,
        write(view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, 16);
                    put(view, at + 4, row);
                    cursors[row] = at + 20;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

function widen(values: Uint32Array): Uint32Array {
    const pairs = new Uint32Array(values.length * 2);
    for (let row = 0; row < values.length; row++) pairs[2 * row] = values[row]!;
    return pairs;
}

function pairsOf(column: RawColumn, rowCount: number): Uint32Array {
    const data = aligned(column);
    return new Uint32Array(data.buffer, data.byteOffset, rowCount * 2);
}

/** Postgres holds the microseconds from 4713 BC to the year 294276; DuckDB begins earlier. */
const earliestTimestamp = -210_866_803_200_000_000n;
const latestTimestamp = 9_224_318_016_000_000_000n;
/** Days since 1970 of the first and the last date of Postgres: 4713 BC to the year 5874897. */
const earliestDate = -2_440_588;
const latestDate = 2_145_042_905;

function timestamps(column: RawColumn, rowCount: number): Uint32Array {
    const factor = column.type === "TIMESTAMP_S" ? 1_000_000n : column.type === "TIMESTAMP_MS" ? 1000n : 1n;
    const values = (typedValues(column, rowCount) as BigInt64Array).map((value, row) =>
        isValid(column.validity, row) ? timestamp(column, row, value, factor) : 0n,
    );
    return new Uint32Array(values.buffer);
}

const duckdbDateInfinity = 0x7fffffff;
const timestampInfinity = 0x7fffffffffffffffn;

function dates(column: RawColumn, rowCount: number): Int32Array {
    return (typedValues(column, rowCount) as Int32Array).map((days, row) => {
        if (!isValid(column.validity, row)) return 0;
        if (days === duckdbDateInfinity) return duckdbDateInfinity;
        if (days === -duckdbDateInfinity) return -0x80000000;
        if (days < earliestDate || days > latestDate) throw outOfRange(column, row, "4713 BC", "5874897");
        return days - epochDays;
    });
}

function timestamp(column: RawColumn, row: number, value: bigint, factor: bigint): bigint {
    if (value === timestampInfinity) return timestampInfinity;
    if (value === -timestampInfinity) return -timestampInfinity - 1n;
    const micros = value * factor;
    if (micros < earliestTimestamp || micros >= latestTimestamp)
        throw outOfRange(column, row, "4713 BC", "294276");
    return micros - epochMicros;
}

function outOfRange(column: RawColumn, row: number, first: string, last: string): UnencodableValue {
    return new UnencodableValue(
        row,
        `column "${column.name}" holds a ${column.type.toLowerCase()} that Postgres cannot hold: its range is ${first} to the year ${last}. ` +
            "Make it NULL or infinity in the model",
    );
}

function intervalWriter({ data }: RawColumn): Put {
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return (view, at, row) => {
        view.setBigInt64(at, source.getBigInt64(row * 16 + 8, true));
        view.setInt32(at + 8, source.getInt32(row * 16 + 4, true));
        view.setInt32(at + 12, source.getInt32(row * 16, true));
    };
}

/** DuckDB flips the highest bit so that uuids sort as signed integers. */
function uuidWriter({ data }: RawColumn): Put {
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return (view, at, row) => {
        view.setBigUint64(at, source.getBigUint64(row * 16 + 8, true) ^ 0x8000000000000000n);
        view.setBigUint64(at + 8, source.getBigUint64(row * 16, true));
    };
}

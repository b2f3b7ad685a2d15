import type { RawColumn } from "../warehouse/types.ts";
import { longestNumeric, writeNumeric } from "./numeric-binary.ts";
import { postgresType } from "./postgres-type.ts";

/**
 * One column of one chunk on its way into COPY's binary rows. The encoder goes through a chunk column by
 * column, not row by row: each loop then sees one type only, which V8 turns into tight code.
 */
export interface ColumnEncoder {
    /** Adds the bytes of each row's field, its length word included, to `sizes`. */
    measure(sizes: Int32Array): void;
    /** Writes each row's field at its cursor and moves the cursor behind it. */
    write(target: Buffer, view: DataView, cursors: Int32Array): void;
}

export class UnencodableValue extends Error {
    readonly row: number;
    constructor(row: number, message: string) {
        super(message);
        this.row = row;
    }
}

/** Days and microseconds from DuckDB's epoch, 1970, to that of Postgres, 2000. */
const epochDays = 10_957;
const epochMicros = 946_684_800_000_000n;

export function columnEncoder(column: RawColumn, rowCount: number): ColumnEncoder {
    const type = postgresType(column.type);
    if (!type) throw new Error(`no Postgres type for DuckDB's ${column.type}`);
    if (column.layout === "list") return listEncoder(column, rowCount, type.oid);
    if (column.enumValues) return enumEncoder(column, rowCount, column.enumValues);
    if (column.layout === "bytes") return bytesEncoder(column, rowCount, column.type !== "BLOB");
    if (type.oid === 1700) return numericEncoder(column, rowCount);
    return fixedEncoder(column, rowCount, type.oid);
}

export function isValid(validity: Uint8Array | undefined, row: number): boolean {
    return validity === undefined || ((validity[row >> 3]! >> (row & 7)) & 1) === 1;
}

function fixedEncoder(column: RawColumn, rowCount: number, oid: number): ColumnEncoder {
    const { validity } = column;
    const width = fixedWidths[oid]!;
    const put = fixedWriter(column, rowCount, oid);
    return {
        measure(sizes) {
            for (let row = 0; row < rowCount; row++) sizes[row]! += isValid(validity, row) ? 4 + width : 4;
        },
        write(_target, view, cursors) {
            for (let row = 0; row < rowCount; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    view.setInt32(at, width);
                    put(view, at + 4, row);
                    cursors[row] = at + 4 + width;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

const fixedWidths: Readonly<Record<number, number>> = {
    16: 1,
    20: 8,
    21: 2,
    23: 4,
    700: 4,
    701: 8,
    1082: 4,
    1083: 8,
    1114: 8,
    1184: 8,
    1186: 16,
    2950: 16,
};

type Put = (view: DataView, at: number, row: number) => void;

function fixedWriter(column: RawColumn, rowCount: number, oid: number): Put {
    const values = typedValues(column, rowCount);
    if (oid === 1186) return intervalWriter(column);
    if (oid === 2950) return uuidWriter(column);
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
        if (oid === 20 || oid === 1083) return (view, at, row) => view.setBigInt64(at, values[row]!);
        const factor =
            column.type === "TIMESTAMP_S" ? 1_000_000n : column.type === "TIMESTAMP_MS" ? 1000n : 1n;
        return (view, at, row) => view.setBigInt64(at, timestamp(values[row]!, factor));
    }
    switch (oid) {
        case 16:
            return (view, at, row) => view.setUint8(at, values[row]! === 0 ? 0 : 1);
        case 21:
            return (view, at, row) => view.setInt16(at, values[row]!);
        case 23:
            return (view, at, row) => view.setInt32(at, values[row]!);
        case 20:
            return (view, at, row) => view.setBigInt64(at, BigInt(values[row]!));
        case 700: {
            // Bits, not numbers: the payload of a NaN survives.
            const bits = new Uint32Array(values.buffer, values.byteOffset, rowCount);
            return (view, at, row) => view.setUint32(at, bits[row]!);
        }
        case 701:
            return (view, at, row) => view.setFloat64(at, values[row]!);
        case 1082:
            return (view, at, row) => view.setInt32(at, date(values[row]!));
        default:
            throw new Error(`no encoder for the type with OID ${oid}`);
    }
}

const duckdbDateInfinity = 0x7fffffff;
const timestampInfinity = 0x7fffffffffffffffn;

function date(days: number): number {
    if (days === duckdbDateInfinity) return duckdbDateInfinity;
    if (days === -duckdbDateInfinity) return -0x80000000;
    return days - epochDays;
}

function timestamp(value: bigint, factor: bigint): bigint {
    if (value === timestampInfinity) return timestampInfinity;
    if (value === -timestampInfinity) return -timestampInfinity - 1n;
    return value * factor - epochMicros;
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

/** Values of variable length are encoded once, in `measure`, and copied from here in `write`. */
function scratchEncoder(
    rowCount: number,
    longest: (row: number) => number,
    encode: (scratch: Buffer, view: DataView, at: number, row: number) => number,
    validity: Uint8Array | undefined,
): ColumnEncoder {
    let scratch = Buffer.allocUnsafeSlow(rowCount * 32 + 64);
    let scratchView = dataView(scratch);
    const ends = new Int32Array(rowCount + 1);
    return {
        measure(sizes) {
            let end = 0;
            for (let row = 0; row < rowCount; row++) {
                const needed = end + 4 + longest(row);
                if (needed > scratch.length) {
                    const larger = Buffer.allocUnsafeSlow(needed * 2);
                    scratch.copy(larger, 0, 0, end);
                    scratch = larger;
                    scratchView = dataView(scratch);
                }
                if (isValid(validity, row)) {
                    const length = encode(scratch, scratchView, end + 4, row);
                    scratchView.setInt32(end, length);
                    end += 4 + length;
                } else {
                    scratchView.setInt32(end, -1);
                    end += 4;
                }
                ends[row + 1] = end;
                sizes[row]! += end - ends[row]!;
            }
        },
        write(target, _view, cursors) {
            for (let row = 0; row < rowCount; row++) {
                const from = ends[row]!;
                const to = ends[row + 1]!;
                let at = cursors[row]!;
                for (let index = from; index < to; index++) target[at++] = scratch[index]!;
                cursors[row] = at;
            }
        },
    };
}

function numericEncoder(column: RawColumn, rowCount: number): ColumnEncoder {
    const scale = column.scale ?? 0;
    const integer = integerReader(column, rowCount);
    return scratchEncoder(
        rowCount,
        () => longestNumeric,
        (_scratch, view, at, row) => writeNumeric(view, at, integer(row), scale),
        column.validity,
    );
}

function integerReader(column: RawColumn, rowCount: number): (row: number) => number | bigint {
    if (column.layout === "int128" || column.layout === "uint128") {
        const { data } = column;
        const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
        const signed = column.layout === "int128";
        return (row) => {
            const high = signed
                ? source.getBigInt64(row * 16 + 8, true)
                : source.getBigUint64(row * 16 + 8, true);
            return (high << 64n) | source.getBigUint64(row * 16, true);
        };
    }
    const values = typedValues(column, rowCount);
    return (row) => values[row]!;
}

function bytesEncoder(column: RawColumn, rowCount: number, isText: boolean): ColumnEncoder {
    const { data, validity } = column;
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return {
        measure(sizes) {
            for (let row = 0; row < rowCount; row++) {
                sizes[row]! += isValid(validity, row) ? 4 + source.getUint32(row * 16, true) : 4;
            }
        },
        write(target, view, cursors) {
            for (let row = 0; row < rowCount; row++) {
                let at = cursors[row]!;
                if (!isValid(validity, row)) {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                    continue;
                }
                const length = source.getUint32(row * 16, true);
                view.setInt32(at, length);
                at += 4;
                if (length <= 12) {
                    const from = row * 16 + 4;
                    for (let index = 0; index < length; index++) {
                        const byte = data[from + index]!;
                        if (byte === 0 && isText) throw nulByte(column, row);
                        target[at + index] = byte;
                    }
                } else {
                    const bytes = column.bytes!(row);
                    if (isText && bytes.includes(0)) throw nulByte(column, row);
                    target.set(bytes, at);
                }
                cursors[row] = at + length;
            }
        },
    };
}

function nulByte(column: RawColumn, row: number): UnencodableValue {
    return new UnencodableValue(
        row,
        `column "${column.name}" holds a NUL byte, which Postgres' text cannot hold: ` +
            `${JSON.stringify(Buffer.from(column.bytes!(row)).toString().slice(0, 60))}. Remove it in the model, ` +
            "for example with replace(x, chr(0), '')",
    );
}

function enumEncoder(column: RawColumn, rowCount: number, names: readonly string[]): ColumnEncoder {
    const texts = names.map((name) => Buffer.from(name));
    const codes = typedValues(column, rowCount);
    const { validity } = column;
    return {
        measure(sizes) {
            for (let row = 0; row < rowCount; row++) {
                sizes[row]! += isValid(validity, row) ? 4 + texts[Number(codes[row])]!.length : 4;
            }
        },
        write(target, view, cursors) {
            for (let row = 0; row < rowCount; row++) {
                const at = cursors[row]!;
                if (isValid(validity, row)) {
                    const text = texts[Number(codes[row])]!;
                    view.setInt32(at, text.length);
                    target.set(text, at + 4);
                    cursors[row] = at + 4 + text.length;
                } else {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                }
            }
        },
    };
}

/** One-dimensional arrays: dimensions, a NULL flag, the element type, then length and lower bound. */
function listEncoder(column: RawColumn, rowCount: number, elementOid: number): ColumnEncoder {
    const { data, child, validity } = column;
    const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const offset = (row: number) => Number(source.getBigUint64(row * 16, true));
    const length = (row: number) => Number(source.getBigUint64(row * 16 + 8, true));
    let childCount = 0;
    for (let row = 0; row < rowCount; row++) {
        if (isValid(validity, row)) childCount = Math.max(childCount, offset(row) + length(row));
    }
    const { buffer, starts, ends } = encodeElements(child!, childCount);
    return scratchEncoder(
        rowCount,
        (row) => {
            if (!isValid(validity, row) || length(row) === 0) return 12;
            return 20 + ends[offset(row) + length(row) - 1]! - starts[offset(row)]!;
        },
        (scratch, view, at, row) => {
            const first = offset(row);
            const count = length(row);
            let hasNull = 0;
            for (let element = first; element < first + count; element++) {
                if (!isValid(child!.validity, element)) hasNull = 1;
            }
            view.setInt32(at, count === 0 ? 0 : 1);
            view.setInt32(at + 4, hasNull);
            view.setInt32(at + 8, elementOid);
            if (count === 0) return 12;
            view.setInt32(at + 12, count);
            view.setInt32(at + 16, 1);
            return 20 + buffer.copy(scratch, at + 20, starts[first]!, ends[first + count - 1]!);
        },
        validity,
    );
}

function encodeElements(child: RawColumn, count: number) {
    const encoder = columnEncoder(child, count);
    const sizes = new Int32Array(count);
    encoder.measure(sizes);
    const cursors = new Int32Array(count);
    let total = 0;
    for (let element = 0; element < count; element++) {
        cursors[element] = total;
        total += sizes[element]!;
    }
    const buffer = Buffer.allocUnsafeSlow(total);
    const starts = cursors.slice();
    encoder.write(buffer, dataView(buffer), cursors);
    return { buffer, starts, ends: cursors };
}

type TypedValues =
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

function typedValues(column: RawColumn, rowCount: number): TypedValues {
    const ArrayType = arrays[column.layout];
    const { data } = column;
    const aligned = data.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0 ? data : data.slice();
    return new ArrayType(aligned.buffer as ArrayBuffer, aligned.byteOffset, rowCount);
}

export function dataView(buffer: Buffer): DataView {
    return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

import type { RawColumn } from "../warehouse/types.ts";
import { fixedEncoder } from "./copy-fixed-columns.ts";
import { longestNumeric, writeNumeric } from "./numeric-binary.ts";
import { postgresType } from "./postgres-type.ts";
import { type ColumnEncoder, isValid, typedValues, UnencodableValue } from "./raw-values.ts";

export function columnEncoder(column: RawColumn, rowCount: number): ColumnEncoder {
    const type = postgresType(column.type);
    if (!type) throw new Error(`no Postgres type for DuckDB's ${column.type}`);
    if (column.layout === "list") return listEncoder(column, rowCount, type.oid);
    if (column.enumValues) return enumEncoder(column, rowCount, column.enumValues);
    if (column.layout === "bytes") return bytesEncoder(column, rowCount, column.type !== "BLOB");
    if (type.oid === 1700) return numericEncoder(column, rowCount);
    return fixedEncoder(column, rowCount, type.oid);
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
            return 0;
        },
        write(target, _view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                let at = cursors[row]!;
                const end = ends[row + 1]!;
                for (let index = ends[row]!; index < end; index++) target[at++] = scratch[index]!;
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
                if (isValid(validity, row)) sizes[row]! += source.getUint32(row * 16, true);
            }
            return 4;
        },
        write(_target, view, cursors, from, to) {
            for (let row = from; row < to; row++) {
                let at = cursors[row]!;
                if (!isValid(validity, row)) {
                    view.setInt32(at, -1);
                    cursors[row] = at + 4;
                    continue;
                }
                const length = source.getUint32(row * 16, true);
                view.setInt32(at, length);
                at += 4;
                const hasNul = column.copyBytes!(row, view, at);
                if (isText && hasNul) throw nulByte(column, row);
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
                if (isValid(validity, row)) sizes[row]! += texts[Number(codes[row])]!.length;
            }
            return 4;
        },
        write(target, view, cursors, from, to) {
            for (let row = from; row < to; row++) {
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
    const rowOf = (element: number) => {
        for (let row = 0; row < rowCount; row++) {
            const first = offset(row);
            if (isValid(validity, row) && element >= first && element < first + length(row)) return row;
        }
        return undefined;
    };
    const { buffer, starts, ends } = encodeElements({ ...child!, name: column.name }, childCount, rowOf);
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

function encodeElements(child: RawColumn, count: number, rowOf: (element: number) => number | undefined) {
    try {
        return encodeAll(child, count);
    } catch (error) {
        if (!(error instanceof UnencodableValue)) throw error;
        throw new UnencodableValue(rowOf(error.row) ?? error.row, error.message);
    }
}

function encodeAll(child: RawColumn, count: number) {
    const encoder = columnEncoder(child, count);
    const sizes = new Int32Array(count);
    const each = encoder.measure(sizes);
    const cursors = new Int32Array(count);
    let total = 0;
    for (let element = 0; element < count; element++) {
        cursors[element] = total;
        total += each + sizes[element]!;
    }
    const buffer = Buffer.allocUnsafeSlow(total);
    const starts = cursors.slice();
    encoder.write(buffer, dataView(buffer), cursors, 0, count);
    return { buffer, starts, ends: cursors };
}

export function dataView(buffer: Buffer): DataView {
    return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

import { type DuckDBDataChunk, DuckDBTypeId } from "@duckdb/node-api";
import type { Column, ColumnChunk } from "../model.ts";
import { type ResultColumn, toRawColumn } from "./raw-chunk.ts";
import type { RawColumn } from "./types.ts";

/** A chunk of DuckDB as columns of JavaScript values: see the table at ColumnValues. */
export function toColumnChunk(chunk: DuckDBDataChunk, columns: readonly ResultColumn[]): ColumnChunk {
    const rowCount = chunk.rowCount;
    return {
        rowCount,
        columns: Object.fromEntries(
            columns.map((column, index) => [column.name, readColumn(chunk, column, index, rowCount)]),
        ),
    };
}

function readColumn(chunk: DuckDBDataChunk, column: ResultColumn, index: number, rowCount: number): Column {
    if (!readsFromLayout(column)) return printedColumn(chunk, index, rowCount);
    const raw = toRawColumn(chunk, column, index, rowCount);
    const valid = raw.validity && unpackValidity(raw.validity, rowCount);
    const values =
        raw.layout === "bytes"
            ? readBytes(raw, rowCount, valid, column.type.typeId === DuckDBTypeId.BLOB)
            : raw.enumValues
              ? readEnum(raw, rowCount, valid)
              : typedArray(raw, rowCount);
    return valid ? { values, valid } : { values };
}

const printedTypes: ReadonlySet<DuckDBTypeId> = new Set([
    DuckDBTypeId.DECIMAL,
    DuckDBTypeId.INTERVAL,
    DuckDBTypeId.HUGEINT,
    DuckDBTypeId.UHUGEINT,
    DuckDBTypeId.UUID,
    DuckDBTypeId.LIST,
    DuckDBTypeId.BIT,
]);

function readsFromLayout(column: ResultColumn): boolean {
    return column.layout !== undefined && !printedTypes.has(column.type.typeId);
}

/** Types without a JavaScript form that is both exact and plain come as DuckDB prints them. */
function printedColumn(chunk: DuckDBDataChunk, index: number, rowCount: number): Column {
    const vector = chunk.getColumnVector(index);
    const values = new Array<string | null>(rowCount);
    const valid = new Uint8Array(rowCount);
    let nulls = false;
    for (let row = 0; row < rowCount; row++) {
        const value = vector.getItem(row);
        values[row] = value === null ? null : String(value);
        if (value === null) nulls = true;
        else valid[row] = 1;
    }
    return nulls ? { values, valid } : { values };
}

/** Absent when every row has a value, so that readers can skip the check. */
function unpackValidity(bits: Uint8Array, rowCount: number): Uint8Array | undefined {
    const valid = new Uint8Array(rowCount);
    let count = 0;
    for (let row = 0; row < rowCount; row++) {
        const bit = (bits[row >> 3]! >> (row & 7)) & 1;
        valid[row] = bit;
        count += bit;
    }
    return count === rowCount ? undefined : valid;
}

function typedArray(raw: RawColumn, rowCount: number) {
    const { buffer, byteOffset } = raw.data;
    const start = [buffer, byteOffset, rowCount] as const;
    switch (raw.layout) {
        case "int8":
            return new Int8Array(...start);
        case "uint8":
            return new Uint8Array(...start);
        case "int16":
            return new Int16Array(...start);
        case "uint16":
            return new Uint16Array(...start);
        case "int32":
            return new Int32Array(...start);
        case "uint32":
            return new Uint32Array(...start);
        case "int64":
            return new BigInt64Array(...start);
        case "uint64":
            return new BigUint64Array(...start);
        case "float32":
            return new Float32Array(...start);
        case "float64":
            return new Float64Array(...start);
        default:
            throw new Error(`column ${raw.name}: layout ${raw.layout} is not one of numbers`);
    }
}

function readEnum(raw: RawColumn, rowCount: number, valid: Uint8Array | undefined): (string | null)[] {
    const names = raw.enumValues ?? [];
    const codes = typedArray(raw, rowCount);
    return Array.from({ length: rowCount }, (_, row) =>
        valid && !valid[row] ? null : (names[Number(codes[row])] ?? null),
    );
}

function readBytes(
    raw: RawColumn,
    rowCount: number,
    valid: Uint8Array | undefined,
    binary: boolean,
): (string | null)[] | (Uint8Array | null)[] {
    const { data } = raw;
    const bytes = raw.bytes!;
    if (binary) {
        return Array.from({ length: rowCount }, (_, row) =>
            valid && !valid[row] ? null : Uint8Array.from(bytes(row)),
        );
    }
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const texts = new Array<string | null>(rowCount);
    for (let row = 0; row < rowCount; row++) {
        if (valid && !valid[row]) {
            texts[row] = null;
            continue;
        }
        const length = buffer.readUInt32LE(row * 16);
        if (length <= 12) {
            const start = row * 16 + 4;
            texts[row] = buffer.toString("utf8", start, start + length);
        } else {
            const long = bytes(row);
            texts[row] = Buffer.from(long.buffer, long.byteOffset, long.byteLength).toString("utf8");
        }
    }
    return texts;
}

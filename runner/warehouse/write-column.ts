import { type DuckDBDecimalType, type DuckDBEnumType, type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { Column } from "../model.ts";
import type { Fill } from "./column-slice.ts";
import { parseDecimal, parseInteger, parseUuid } from "./parse-text.ts";
import { layoutOf } from "./raw-chunk.ts";
import { fillBytes, fillIntervals, fillText } from "./write-bytes.ts";
import { fillIntegers, fillNumbers } from "./write-numbers.ts";

/** Writes `count` rows of a column, from `start` on, into the first rows of a vector. */
export type ColumnWriter = (vector: duckdb.Vector, column: Column, start: number, count: number) => void;

export function columnWriter(name: string, type: DuckDBType): ColumnWriter {
    const label = `column ${name} (${type})`;
    const fill = fillFor(type);
    return (vector, column, start, count) => {
        if (!fill)
            throw new Error(`${label}: values of this type cannot be appended; append text and cast it`);
        if (column.values.length < start + count) {
            throw new Error(`${label}: ${column.values.length} values for ${start + count} rows`);
        }
        const valid = presence(column, start, count);
        fill(vector, { values: column.values, start, count, label, ...(valid ? { valid } : {}) });
        if (valid) writeValidity(vector, valid);
    };
}

function fillFor(type: DuckDBType): Fill | undefined {
    const layout = layoutOf(type);
    switch (type.typeId) {
        case DuckDBTypeId.VARCHAR:
            return fillText;
        case DuckDBTypeId.BLOB:
            return fillBytes;
        case DuckDBTypeId.INTERVAL:
            return fillIntervals;
        case DuckDBTypeId.BOOLEAN:
            return fillIntegers("uint8", { parse: parseBoolean, min: 0n, max: 1n });
        case DuckDBTypeId.ENUM: {
            const codes = new Map(
                (type as DuckDBEnumType).values.map((value, code) => [value, BigInt(code)]),
            );
            return fillIntegers(layout!, { parse: (text) => codes.get(text) });
        }
        case DuckDBTypeId.DECIMAL: {
            const { scale, width } = type as DuckDBDecimalType;
            const max = 10n ** BigInt(width) - 1n;
            return fillIntegers(layout!, {
                parse: (text) => parseDecimal(text, scale),
                floatFactor: 10 ** scale,
                min: -max,
                max,
            });
        }
        case DuckDBTypeId.HUGEINT:
        case DuckDBTypeId.UHUGEINT:
            return fillIntegers(layout!, { parse: parseInteger });
        case DuckDBTypeId.UUID:
            return fillIntegers("int128", { parse: parseUuid });
        default:
            return layout && layout !== "bytes" && layout !== "list" ? fillNumbers(layout) : undefined;
    }
}

function parseBoolean(text: string): bigint | undefined {
    return text === "true" ? 1n : text === "false" ? 0n : undefined;
}

/** NULLs are marked by `valid`, in arrays of text also by null; absent: there are none. */
function presence(column: Column, start: number, count: number): Uint8Array | undefined {
    const given = column.valid?.subarray(start, start + count);
    if (given && given.length < count) {
        throw new Error(
            `the array of valid rows has ${column.valid?.length} entries for ${start + count} rows`,
        );
    }
    if (!Array.isArray(column.values)) return given?.includes(0) ? given : undefined;
    let nulls = 0;
    const valid = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
        if (column.values[start + row] === null || given?.[row] === 0) nulls++;
        else valid[row] = 1;
    }
    return nulls > 0 ? valid : undefined;
}

function writeValidity(vector: duckdb.Vector, valid: Uint8Array): void {
    const bits = new Uint8Array(Math.ceil(valid.length / 64) * 8);
    for (let row = 0; row < valid.length; row++) {
        if (valid[row]) bits[row >> 3]! |= 1 << (row & 7);
    }
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bits.byteLength);
}

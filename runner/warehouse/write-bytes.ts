import duckdb from "@duckdb/node-bindings";
import type { Fill } from "./column-slice.ts";
import { parseInterval } from "./parse-text.ts";
import { copyToVector, wrongValue } from "./write-numbers.ts";

/**
 * DuckDB keeps strings of up to 12 bytes within the 16 bytes of the row. Those are laid out here and copied
 * as one block; only longer ones, and those beyond ASCII, cost a call into the engine each.
 */
export const fillText: Fill = (vector, { values, start, count, valid, label }) => {
    const heads = new Uint8Array(count * 16);
    const others: number[] = [];
    for (let row = 0; row < count; row++) {
        if (valid && !valid[row]) continue;
        const text = values[start + row];
        if (typeof text !== "string") throw wrongValue(label, start + row, text, "text and null");
        if (!writeInline(heads, row * 16, text)) others.push(row);
    }
    copyToVector(vector, heads);
    for (const row of others) {
        duckdb.vector_assign_string_element(vector, row, values[start + row] as string);
    }
};

/** False, with the row's bytes zeroed, where the text is too long or not ASCII. */
function writeInline(heads: Uint8Array, offset: number, text: string): boolean {
    const { length } = text;
    if (length > 12) return false;
    for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code > 0x7f) {
            heads.fill(0, offset, offset + 16);
            return false;
        }
        heads[offset + 4 + index] = code;
    }
    heads[offset] = length;
    return true;
}

export const fillBytes: Fill = (vector, { values, start, count, valid, label }) => {
    copyToVector(vector, new Uint8Array(count * 16));
    for (let row = 0; row < count; row++) {
        if (valid && !valid[row]) continue;
        const bytes = values[start + row] as unknown;
        if (!(bytes instanceof Uint8Array))
            throw wrongValue(label, start + row, bytes, "Uint8Array and null");
        duckdb.vector_assign_string_element_len(vector, row, bytes);
    }
};

/** Either DuckDB's own layout, two 64-bit integers a row, or text. */
export const fillIntervals: Fill = (vector, { values, start, count, valid, label }) => {
    if (values instanceof BigInt64Array) {
        if (values.length < (start + count) * 2) {
            throw new Error(
                `${label}: ${values.length} entries for ${start + count} rows; an interval takes two entries a row: days << 32 + months, microseconds`,
            );
        }
        copyToVector(vector, values.subarray(start * 2, (start + count) * 2));
        return;
    }
    const target = new DataView(new ArrayBuffer(count * 16));
    for (let row = 0; row < count; row++) {
        if (valid && !valid[row]) continue;
        const text = values[start + row];
        const interval = typeof text === "string" ? parseInterval(text) : undefined;
        if (!interval) {
            throw wrongValue(label, start + row, text, "such as 1 year 2 months 3 days 04:05:06.789");
        }
        target.setInt32(row * 16, interval.months, true);
        target.setInt32(row * 16 + 4, interval.days, true);
        target.setBigInt64(row * 16 + 8, interval.micros, true);
    }
    copyToVector(vector, target);
};

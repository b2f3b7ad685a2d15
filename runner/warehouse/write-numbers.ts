import duckdb from "@duckdb/node-bindings";
import type { ColumnValues } from "../model.ts";
import type { Fill, Slice } from "./column-slice.ts";
import type { RawLayout } from "./types.ts";

const arrays = {
    int8: Int8Array,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    int64: BigInt64Array,
    uint64: BigUint64Array,
    float32: Float32Array,
    float64: Float64Array,
} as const;

const integerBounds: Readonly<Partial<Record<RawLayout, readonly [bigint, bigint]>>> = {
    int8: [-(1n << 7n), (1n << 7n) - 1n],
    uint8: [0n, (1n << 8n) - 1n],
    int16: [-(1n << 15n), (1n << 15n) - 1n],
    uint16: [0n, (1n << 16n) - 1n],
    int32: [-(1n << 31n), (1n << 31n) - 1n],
    uint32: [0n, (1n << 32n) - 1n],
    int64: [-(1n << 63n), (1n << 63n) - 1n],
    uint64: [0n, (1n << 64n) - 1n],
    int128: [-(1n << 127n), (1n << 127n) - 1n],
    uint128: [0n, (1n << 128n) - 1n],
};

/** Numbers whose array has the column's own layout go in as one block of bytes; others are converted. */
export function fillNumbers(layout: RawLayout): Fill {
    const own = arrays[layout as keyof typeof arrays];
    const convert =
        layout === "float32" || layout === "float64"
            ? fillFloats(own as Float32ArrayConstructor)
            : fillIntegers(layout, {});
    return (vector, slice) => {
        const { values, start, count } = slice;
        if (!(values instanceof own)) return convert(vector, slice);
        copyToVector(vector, (values as Int32Array).subarray(start, start + count));
    };
}

function fillFloats(own: Float32ArrayConstructor | Float64ArrayConstructor): Fill {
    return (vector, { values, start, count, valid, label }) => {
        if (Array.isArray(values)) throw wrongValue(label, start, values[start], "a typed array of numbers");
        const target = new own(count);
        for (let row = 0; row < count; row++) {
            if (!valid || valid[row]) target[row] = Number(values[start + row]);
        }
        copyToVector(vector, target);
    };
}

export interface IntegerForm {
    /** Reads a value from text; absent: text is refused. */
    readonly parse?: (text: string) => bigint | undefined;
    /** What a floating-point value is multiplied with before it is rounded; absent: it must be whole. */
    readonly floatFactor?: number;
    /** Default: what the layout can hold. */
    readonly min?: bigint;
    readonly max?: bigint;
}

/** Values of any form, one by one, checked against what the column can hold. */
export function fillIntegers(layout: RawLayout, form: IntegerForm): Fill {
    const [lowest, highest] = integerBounds[layout]!;
    const min = form.min ?? lowest;
    const max = form.max ?? highest;
    const smallest = Number(min);
    const greatest = Number(max);
    const wide = layout === "int128" || layout === "uint128";
    const big = wide || layout === "int64" || layout === "uint64";
    return (vector, slice) => {
        const { values, start, count, valid, label } = slice;
        if (!big && isNumberArray(values) && form.floatFactor === undefined) {
            return fillSmallIntegers(vector, slice, layout, smallest, greatest);
        }
        const target = wide ? new BigInt64Array(count * 2) : new arrays[layout as "int64"](count);
        for (let row = 0; row < count; row++) {
            if (valid && !valid[row]) continue;
            const given = values[start + row];
            const value = toInteger(given, form, values);
            if (value === undefined || value < min || value > max) {
                throw wrongValue(label, start + row, given, `${min} to ${max}`);
            }
            if (wide) {
                target[row * 2] = BigInt.asIntN(64, value);
                target[row * 2 + 1] = BigInt.asIntN(64, value >> 64n);
            } else {
                (target as unknown as Record<number, bigint | number>)[row] = big ? value : Number(value);
            }
        }
        copyToVector(vector, target);
    };
}

type NumberArray = Exclude<ColumnValues, BigInt64Array | BigUint64Array | readonly unknown[]>;

function isNumberArray(values: ColumnValues): values is NumberArray {
    return (
        !Array.isArray(values) && !(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)
    );
}

/** The usual case without a BigInt per value. */
function fillSmallIntegers(
    vector: duckdb.Vector,
    { values, start, count, valid, label }: Slice,
    layout: RawLayout,
    min: number,
    max: number,
): void {
    const target = new arrays[layout as "int32"](count);
    const numbers = values as NumberArray;
    for (let row = 0; row < count; row++) {
        if (valid && !valid[row]) continue;
        const value = numbers[start + row]!;
        if (!Number.isInteger(value) || value < min || value > max) {
            throw wrongValue(label, start + row, value, `whole numbers from ${min} to ${max}`);
        }
        target[row] = value;
    }
    copyToVector(vector, target);
}

function toInteger(value: unknown, form: IntegerForm, values: ColumnValues): bigint | undefined {
    if (typeof value === "bigint") return value;
    if (typeof value === "string") return form.parse?.(value);
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    const isFloat = values instanceof Float64Array || values instanceof Float32Array;
    if (isFloat && form.floatFactor !== undefined) return BigInt(Math.round(value * form.floatFactor));
    return Number.isInteger(value) ? BigInt(value) : undefined;
}

export function wrongValue(label: string, row: number, value: unknown, allowed: string): Error {
    const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
    return new Error(`${label}: row ${row} of the chunk holds ${shown}; allowed are ${allowed}`);
}

export function copyToVector(vector: duckdb.Vector, bytes: ArrayBufferView): void {
    duckdb.copy_data_to_vector(vector, 0, bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

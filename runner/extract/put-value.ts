import type { DecodedColumn } from "./decoded-column.ts";
import type { ColumnBuffer } from "./parquet-column.ts";

/** A value that the declared type cannot hold exactly. */
export class ValueProblem extends Error {
    override readonly name = "ValueProblem";
    readonly columnIndex: number;
    readonly reason: string;
    constructor(columnIndex: number, reason: string) {
        super(reason);
        this.columnIndex = columnIndex;
        this.reason = reason;
    }
}

/** Days and microseconds from 1970-01-01 to 2000-01-01, Postgres' zero. */
export const epochDays = 10_957;
const epochMicros = 946_684_800_000_000;
const dayMicros = 86_400_000_000;
const two32 = 4_294_967_296;

/** A whole number that doubles hold exactly; of a numeric it is scaled already. */
export function putNumber(column: DecodedColumn, unscaled: number): void {
    const { buffer, width } = column;
    if (width === 0) {
        putFloat(column, unscaled);
        return;
    }
    const value = unscaled * column.factor;
    if (value < column.min || value > column.max)
        throw outOfRange(column, BigInt(unscaled) * BigInt(column.factor));
    if (width === 4) {
        buffer.view.setInt32(buffer.length, value, true);
        buffer.length += 4;
    } else if (width === 8 && Number.isSafeInteger(value)) {
        const high = Math.floor(value / two32);
        putHalves(buffer, high, value - high * two32);
    } else putBigint(column, BigInt(unscaled) * BigInt(column.factor));
}

export function putExactly(column: DecodedColumn, value: bigint | undefined, print: () => string): void {
    if (value === undefined) {
        const digits =
            column.scale === 0 ? "a whole number" : `a number with ${column.scale} digits after the point`;
        throw new ValueProblem(column.index, `is ${print()}, which is not ${digits}`);
    }
    putBigint(column, value);
}

export function putBigint(column: DecodedColumn, value: bigint): void {
    const { buffer, width } = column;
    if (width === 0) {
        const number = Number(value);
        if (BigInt(number) !== value)
            throw new ValueProblem(column.index, `is ${value}, which a double cannot hold exactly`);
        putFloat(column, number);
        return;
    }
    if (value < column.exactMin || value > column.exactMax) throw outOfRange(column, value);
    if (width === 4) buffer.view.setInt32(buffer.length, Number(value), true);
    else if (width === 8) buffer.view.setBigInt64(buffer.length, BigInt.asIntN(64, value), true);
    else {
        // Decimals of fixed length are big-endian.
        buffer.view.setBigInt64(buffer.length, value >> 64n);
        buffer.view.setBigUint64(buffer.length + 8, BigInt.asUintN(64, value));
    }
    buffer.length += width;
}

export function putHalves(buffer: ColumnBuffer, high: number, low: number): void {
    buffer.view.setInt32(buffer.length, low, true);
    buffer.view.setInt32(buffer.length + 4, high, true);
    buffer.length += 8;
}

export function putFloat({ index, buffer, isFloat }: DecodedColumn, value: number): void {
    if (!isFloat) {
        buffer.view.setFloat64(buffer.length, value, true);
        buffer.length += 8;
        return;
    }
    if (Math.fround(value) !== value && !Number.isNaN(value)) {
        throw new ValueProblem(index, `is ${value}, which a float of 32 bits cannot hold exactly`);
    }
    buffer.view.setFloat32(buffer.length, value, true);
    buffer.length += 4;
}

const lastInt32 = 2_147_483_647;

/** Postgres' infinities are the first and the last int32, DuckDB's are the last and its negative. */
export function putDate({ buffer }: DecodedColumn, days: number): void {
    const isInfinite = days === lastInt32 || days === -lastInt32 - 1;
    const value = isInfinite ? Math.sign(days) * lastInt32 : days + epochDays;
    buffer.view.setInt32(buffer.length, value, true);
    buffer.length += 4;
}

export function putTimestamp(column: DecodedColumn, view: DataView, position: number): void {
    const high = view.getInt32(position);
    const micros = high * two32 + view.getUint32(position + 4) + epochMicros;
    if (Number.isSafeInteger(micros) && high > -1_000_000 && high < 1_000_000) {
        const upper = Math.floor(micros / two32);
        putHalves(column.buffer, upper, micros - upper * two32);
        return;
    }
    const exact = view.getBigInt64(position);
    const last = (1n << 63n) - 1n;
    const isInfinite = exact === last || exact === -last - 1n;
    const value = isInfinite ? (exact > 0n ? last : -last) : exact + BigInt(epochMicros);
    if (!isInfinite && value > lastTimestamp) {
        throw new ValueProblem(
            column.index,
            `is ${exact} microseconds after 2000-01-01, beyond the last timestamp of DuckDB`,
        );
    }
    column.buffer.view.setBigInt64(column.buffer.length, value, true);
    column.buffer.length += 8;
}

/** 294247-01-10 04:00:54.775806 */
const lastTimestamp = 9_223_372_036_854_775_806n;

export function putMidnight(column: DecodedColumn, view: DataView, position: number): void {
    const exact = view.getBigInt64(position);
    if (exact === (1n << 63n) - 1n || exact === -(1n << 63n)) {
        putDate(column, exact > 0n ? lastInt32 : -lastInt32 - 1);
        return;
    }
    if (exact % BigInt(dayMicros) !== 0n) {
        const at = new Date(Number((exact + BigInt(epochMicros)) / 1000n));
        const shown = Number.isNaN(at.getTime())
            ? `${exact} microseconds after 2000-01-01`
            : at.toISOString();
        throw new ValueProblem(column.index, `is ${shown}, which is not midnight and so no date`);
    }
    putDate(column, Number(exact / BigInt(dayMicros)));
}

function outOfRange({ index, exactMin, exactMax, scale }: DecodedColumn, value: bigint): ValueProblem {
    const print = (number: bigint) => {
        if (scale === 0) return String(number);
        const digits = (number < 0n ? -number : number).toString().padStart(scale + 1, "0");
        return `${number < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    };
    return new ValueProblem(
        index,
        `is ${print(value)}; allowed are ${print(exactMin)} to ${print(exactMax)}`,
    );
}

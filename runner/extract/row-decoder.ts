import { parseDigits, printNumeric, readNumeric, readNumericExactly } from "./numeric.ts";
import { ColumnBuffer } from "./parquet-column.ts";
import { type Reading, readings, type Transport } from "./transport.ts";

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

/** Signature (11 bytes), flags, length of an extension that nobody writes. */
const headerBytes = 19;
/** Days and microseconds from 1970-01-01 to 2000-01-01, Postgres' zero. */
const epochDays = 10_957;
const epochMicros = 946_684_800_000_000;
const dayMicros = 86_400_000_000;
const two32 = 4_294_967_296;

interface DecodedColumn {
    readonly index: number;
    readonly reading: number;
    readonly buffer: ColumnBuffer;
    readonly calendar: ColumnBuffer | undefined;
    /** 4, 8 or 16 bytes of the stored integer; 0: not a stored integer. */
    readonly width: number;
    /** Every int64 may be stored as it is. */
    readonly isInt64: boolean;
    readonly isFloat: boolean;
    readonly min: number;
    readonly max: number;
    readonly exactMin: bigint;
    readonly exactMax: bigint;
    readonly scale: number;
    readonly factor: number;
    readonly nullable: boolean;
}

/**
 * Rows of the binary COPY into the columns of a Parquet row group, byte for byte, without a JavaScript object per
 * value: strings have the same form on both sides but for the order of the bytes of their length.
 */
export class RowDecoder {
    readonly buffers: readonly ColumnBuffer[];
    readonly #columns: readonly DecodedColumn[];
    readonly #rowCapacity: number;
    #hasHeader = false;
    /** Rows in the buffers. */
    rowCount = 0;
    /** Bytes of rows in the buffers, as they came. */
    byteCount = 0;

    constructor(transports: readonly (Transport & { readonly nullable: boolean })[], rowCapacity: number) {
        const columns = transports.map((transport, index) => decodedColumn(transport, index, rowCapacity));
        this.#columns = columns;
        this.#rowCapacity = rowCapacity;
        this.buffers = columns.flatMap(({ buffer, calendar }) => (calendar ? [buffer, calendar] : [buffer]));
    }

    get isFull(): boolean {
        return this.rowCount === this.#rowCapacity;
    }

    reset(): void {
        for (const buffer of this.buffers) buffer.reset();
        this.rowCount = 0;
        this.byteCount = 0;
    }

    /** One message of the COPY: a row, the first one behind the header; or the trailer. */
    decode(bytes: Buffer, view: DataView, start: number, end: number): void {
        let position = start;
        if (!this.#hasHeader) {
            position += headerBytes;
            this.#hasHeader = true;
            if (position === end) return;
        }
        if (view.getInt16(position) < 0) return;
        position += 2;
        const row = this.rowCount;
        const columns = this.#columns;
        for (let index = 0; index < columns.length; index++) {
            const column = columns[index]!;
            const length = view.getInt32(position);
            position += 4;
            if (length < 0) {
                if (!column.nullable)
                    throw new ValueProblem(index, "is NULL, and the column is declared nullable: false");
                column.buffer.markNull(row);
                column.calendar?.markNull(row);
                continue;
            }
            const { buffer } = column;
            if (buffer.length + length + 16 > buffer.bytes.length) buffer.grow(length + 16);
            switch (column.reading) {
                case readings.bytes: {
                    buffer.view.setInt32(buffer.length, length, true);
                    buffer.length += 4;
                    // Short values are cheaper to copy here than by a call.
                    if (length > 40)
                        buffer.bytes.set(bytes.subarray(position, position + length), buffer.length);
                    else {
                        const target = buffer.bytes;
                        const offset = buffer.length;
                        for (let byte = 0; byte < length; byte++)
                            target[offset + byte] = bytes[position + byte]!;
                    }
                    buffer.length += length;
                    break;
                }
                case readings.int16:
                    putNumber(column, view.getInt16(position));
                    break;
                case readings.int32:
                    putNumber(column, view.getInt32(position));
                    break;
                case readings.int64: {
                    const high = view.getInt32(position);
                    const low = view.getInt32(position + 4);
                    if (column.isInt64) putHalves(buffer, high, low);
                    else if (high === low >> 31) putNumber(column, low);
                    else putBigint(column, view.getBigInt64(position) * BigInt(column.factor));
                    break;
                }
                case readings.numeric: {
                    const value = readNumeric(view, position, column.scale);
                    if (!Number.isNaN(value)) putNumber(column, value);
                    else
                        putExactly(column, readNumericExactly(view, position, column.scale), () =>
                            printNumeric(view, position),
                        );
                    break;
                }
                case readings.digits: {
                    const text = bytes.toString("latin1", position, position + length);
                    putExactly(column, parseDigits(text, column.scale), () =>
                        JSON.stringify(bytes.toString("utf8", position, position + length)),
                    );
                    break;
                }
                case readings.boolean:
                    buffer.view.setInt32(buffer.length, bytes[position]!, true);
                    buffer.length += 4;
                    break;
                case readings.float32:
                    putFloat(column, view.getFloat32(position));
                    break;
                case readings.float64:
                    putFloat(column, view.getFloat64(position));
                    break;
                case readings.date:
                    putDate(column, view.getInt32(position));
                    break;
                case readings.timestamp:
                    putTimestamp(column, view, position);
                    break;
                case readings.midnight:
                    putMidnight(column, view, position);
                    break;
                case readings.time:
                    putHalves(buffer, view.getInt32(position), view.getInt32(position + 4));
                    break;
                case readings.interval: {
                    putHalves(buffer, view.getInt32(position), view.getInt32(position + 4));
                    const days = view.getInt32(position + 8);
                    const months = view.getInt32(position + 12);
                    const calendar = column.calendar!;
                    if (days === 0 && months === 0) calendar.markNull(row);
                    else {
                        if (calendar.length + 16 > calendar.bytes.length) calendar.grow(16);
                        putHalves(calendar, months, days);
                    }
                }
            }
            position += length;
        }
        this.rowCount++;
        this.byteCount += end - start;
    }
}

function decodedColumn(
    transport: Transport & { readonly nullable: boolean },
    index: number,
    rowCapacity: number,
): DecodedColumn {
    const { column, calendar, reading, min = 0n, max = 0n, scale = 0, nullable } = transport;
    const isNumber = reading === "int16" || reading === "int32" || reading === "int64";
    return {
        index,
        reading: readings[reading],
        buffer: new ColumnBuffer(column, rowCapacity),
        calendar: calendar && new ColumnBuffer(calendar, rowCapacity),
        width: { int32: 4, int64: 8, fixed: 16, float: 0, double: 0, bytes: 0 }[column.physical],
        isInt64: column.physical === "int64" && scale === 0 && min === -(1n << 63n),
        isFloat: column.physical === "float",
        min: Number(min),
        max: Number(max),
        exactMin: min,
        exactMax: max,
        scale,
        // Only what was read unscaled is multiplied.
        factor: isNumber ? 10 ** scale : 1,
        nullable,
    };
}

/** A whole number that doubles hold exactly; of a numeric it is scaled already. */
function putNumber(column: DecodedColumn, unscaled: number): void {
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

function putExactly(column: DecodedColumn, value: bigint | undefined, print: () => string): void {
    if (value === undefined) {
        const digits =
            column.scale === 0 ? "a whole number" : `a number with ${column.scale} digits after the point`;
        throw new ValueProblem(column.index, `is ${print()}, which is not ${digits}`);
    }
    putBigint(column, value);
}

function putBigint(column: DecodedColumn, value: bigint): void {
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

function putHalves(buffer: ColumnBuffer, high: number, low: number): void {
    buffer.view.setInt32(buffer.length, low, true);
    buffer.view.setInt32(buffer.length + 4, high, true);
    buffer.length += 8;
}

function putFloat({ index, buffer, isFloat }: DecodedColumn, value: number): void {
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
function putDate({ buffer }: DecodedColumn, days: number): void {
    const isInfinite = days === lastInt32 || days === -lastInt32 - 1;
    const value = isInfinite ? Math.sign(days) * lastInt32 : days + epochDays;
    buffer.view.setInt32(buffer.length, value, true);
    buffer.length += 4;
}

function putTimestamp(column: DecodedColumn, view: DataView, position: number): void {
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

function putMidnight(column: DecodedColumn, view: DataView, position: number): void {
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

/** `id = 17`: the primary key of a row of the COPY, as far as it is of numbers and text. */
export function describeKey(
    key: readonly { readonly name: string; readonly index: number }[],
    kinds: readonly Reading[],
    { view, start, end }: { readonly view: DataView; readonly start: number; readonly end: number },
): string {
    const fields: string[] = [];
    let position = start + 2;
    for (const kind of kinds) {
        if (position + 4 > end) return "";
        const length = view.getInt32(position);
        position += 4;
        fields.push(length < 0 ? "NULL" : printField(kind, view, position, length));
        position += Math.max(0, length);
    }
    return key.map(({ name, index }) => `${name} = ${fields[index] ?? "?"}`).join(", ");
}

function printField(kind: Reading, view: DataView, position: number, length: number): string {
    switch (kind) {
        case "int16":
            return String(view.getInt16(position));
        case "int32":
            return String(view.getInt32(position));
        case "int64":
            return String(view.getBigInt64(position));
        case "numeric":
            return printNumeric(view, position);
        case "bytes":
        case "digits":
            return JSON.stringify(
                Buffer.from(view.buffer, view.byteOffset + position, length).toString("utf8"),
            );
        case "date":
            return new Date((view.getInt32(position) + epochDays) * 86_400_000).toISOString().slice(0, 10);
        default:
            return "...";
    }
}

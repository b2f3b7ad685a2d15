import { type DecodedColumn, decodedColumn } from "./decoded-column.ts";
import { parseDigits, printNumeric, readNumeric, readNumericExactly } from "./numeric.ts";
import type { ColumnBuffer } from "./parquet-column.ts";
import {
    putBigint,
    putDate,
    putExactly,
    putFloat,
    putHalves,
    putMidnight,
    putNumber,
    putTimestamp,
    ValueProblem,
} from "./put-value.ts";
import { readings, type Transport } from "./transport.ts";

/** Signature (11 bytes), flags, length of an extension that nobody writes. */
const headerBytes = 19;
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

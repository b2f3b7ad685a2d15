import type { RawChunk } from "../warehouse/types.ts";
import { columnEncoder, dataView } from "./copy-columns.ts";
import { copyDataHeader } from "./copy-stream.ts";

/** `PGCOPY\n\377\r\n\0`, no flags, no extension. */
export const copyFileHeader = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
/** A row of -1 fields ends the data. */
export const copyFileTrailer = Buffer.from("ffff", "hex");

/** Rows in COPY's binary format, after `copyDataHeader` free bytes. */
export function encodeChunk(chunk: RawChunk): Buffer {
    const { rowCount, columns } = chunk;
    const encoders = columns.map((column) => columnEncoder(column, rowCount));
    const sizes = new Int32Array(rowCount);
    // A row begins with its number of fields, in two bytes.
    let each = 2;
    for (const encoder of encoders) each += encoder.measure(sizes);
    let total = copyDataHeader;
    const cursors = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
        cursors[row] = total;
        total += each + sizes[row]!;
    }
    const target = Buffer.allocUnsafeSlow(total);
    const view = dataView(target);
    for (let row = 0; row < rowCount; row++) {
        view.setInt16(cursors[row]!, columns.length);
        cursors[row]! += 2;
    }
    for (const encoder of encoders) encoder.write(target, view, cursors);
    return target;
}

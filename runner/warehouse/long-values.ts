import type { DuckDBDataChunk } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";

/** Values up to this length lie in the vector itself, longer ones behind a pointer. */
const inlineLength = 12;
/** Between two values that are nearer than a page no address can be unmapped. */
const largestGap = 4096 - 1;
const largestRun = 1 << 24;

/**
 * Copies the values of a text or blob column. A call of the bindings for one value costs more than to copy
 * hundreds of bytes, and a chunk's long values mostly lie side by side: neighbours are fetched in one call.
 */
export function valueCopier(
    data: Uint8Array,
    validity: Uint8Array | undefined,
    rowCount: number,
    owner: DuckDBDataChunk,
): (row: number, target: DataView, at: number) => boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let runs: Runs | undefined;
    return (row, target, at) => {
        const length = view.getUint32(row * 16, true);
        if (length <= inlineLength) return copyWords(view, row * 16 + 4, target, at, length);
        // Naming the owner keeps the memory behind the pointers.
        if (!owner.chunk) throw new Error("the chunk is gone");
        runs ??= fetchRuns(data, view, validity, rowCount);
        return copyWords(runs.bytes[runs.runs[row]!]!, runs.offsets[row]!, target, at, length);
    };
}

/** True where a byte is 0. Four bytes at a time: a call that copies memory costs more than most values are long. */
function copyWords(source: DataView, from: number, target: DataView, at: number, length: number): boolean {
    let zeros = 0;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
        const word = source.getInt32(from + index, true);
        target.setInt32(at + index, word, true);
        zeros |= (word - 0x01010101) & ~word & 0x80808080;
    }
    for (; index < length; index++) {
        const byte = source.getUint8(from + index);
        target.setUint8(at + index, byte);
        if (byte === 0) zeros = 1;
    }
    return zeros !== 0;
}

interface Runs {
    readonly bytes: readonly DataView[];
    /** Of each row with a long value: its run, and where it begins in that. */
    readonly runs: Int32Array;
    readonly offsets: Int32Array;
}

function fetchRuns(
    data: Uint8Array,
    view: DataView,
    validity: Uint8Array | undefined,
    rowCount: number,
): Runs {
    const runs = new Int32Array(rowCount);
    const offsets = new Int32Array(rowCount);
    const bytes: DataView[] = [];
    let firstRow = -1;
    let start = 0;
    let end = -1;
    const close = () => {
        if (firstRow < 0) return;
        const pointer = data.byteOffset + firstRow * 16 + 8;
        const run = duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, pointer, end - start);
        bytes.push(new DataView(run.buffer, run.byteOffset, run.byteLength));
    };
    for (let row = 0; row < rowCount; row++) {
        if (validity && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue;
        const length = view.getUint32(row * 16, true);
        if (length <= inlineLength) continue;
        // Addresses have at most 48 bits, so that a number holds them exactly.
        const address = view.getUint32(row * 16 + 8, true) + view.getUint32(row * 16 + 12, true) * 2 ** 32;
        const isInside = address >= start && address + length <= end;
        const isNext =
            address >= end && address - end <= largestGap && address + length - start <= largestRun;
        if (firstRow < 0 || !(isInside || isNext)) {
            close();
            firstRow = row;
            start = address;
            end = address + length;
        } else if (isNext) {
            end = address + length;
        }
        runs[row] = bytes.length;
        offsets[row] = address - start;
    }
    close();
    return { bytes, runs, offsets };
}

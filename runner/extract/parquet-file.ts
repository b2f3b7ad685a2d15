import { closeSync, openSync, writevSync } from "node:fs";
import { type ColumnBuffer, type Meaning, type ParquetColumn, physicalTypes } from "./parquet-column.ts";
import {
    encodeStruct,
    i32,
    i64,
    list,
    struct,
    type ThriftValue,
    text,
    truth,
    writeVarint,
} from "./thrift.ts";

/** Every column may hold NULLs; values are PLAIN and not compressed: the file is read once and deleted. */
export class ParquetFile {
    readonly path: string;
    readonly #columns: readonly ParquetColumn[];
    readonly #descriptor: number;
    readonly #rowGroups: ThriftValue[] = [];
    #offset = 4;
    rowCount = 0;

    constructor(path: string, columns: readonly ParquetColumn[]) {
        this.path = path;
        this.#columns = columns;
        this.#descriptor = openSync(path, "wx", 0o600);
        writeAll(this.#descriptor, [Buffer.from("PAR1")]);
    }

    get bytes(): number {
        return this.#offset;
    }

    /** Written at once, so that the buffers can be filled again: to the page cache that takes milliseconds. */
    writeRowGroup(buffers: readonly ColumnBuffer[], rowCount: number): void {
        const parts: Uint8Array[] = [];
        const start = this.#offset;
        const chunks = buffers.map((buffer) => {
            const levels = definitionLevels(buffer, rowCount);
            const values = buffer.bytes.subarray(0, buffer.length);
            const header = pageHeader(rowCount, levels.length + values.length);
            const size = header.length + levels.length + values.length;
            const chunk = columnChunk(buffer.column, { rowCount, offset: this.#offset, size });
            parts.push(header, levels, values);
            this.#offset += size;
            return chunk;
        });
        writeAll(this.#descriptor, parts);
        this.rowCount += rowCount;
        this.#rowGroups.push(
            struct([
                [1, list("struct", chunks)],
                [2, i64(this.#offset - start)],
                [3, i64(rowCount)],
            ]),
        );
    }

    finish(): void {
        const root = struct([
            [4, text("root")],
            [5, i32(this.#columns.length)],
        ]);
        const footer = encodeStruct([
            [1, i32(1)],
            [2, list("struct", [root, ...this.#columns.map(schemaElement)])],
            [3, i64(this.rowCount)],
            [4, list("struct", this.#rowGroups)],
        ]);
        const length = Buffer.alloc(4);
        length.writeInt32LE(footer.length);
        writeAll(this.#descriptor, [footer, length, Buffer.from("PAR1")]);
        closeSync(this.#descriptor);
    }

    abandon(): void {
        closeSync(this.#descriptor);
    }
}

/** A write may take less than it was given, a full disk announces itself so. */
function writeAll(descriptor: number, parts: readonly Uint8Array[]): void {
    // 1024 parts is what the system takes at once.
    for (let first = 0; first < parts.length; first += 1024) {
        let rest = parts.slice(first, first + 1024).filter((part) => part.length > 0);
        while (rest.length > 0) {
            let written = writevSync(descriptor, rest);
            while (rest.length > 0 && written >= rest[0]!.length) {
                written -= rest[0]!.length;
                rest = rest.slice(1);
            }
            if (rest.length > 0 && written > 0) rest = [rest[0]!.subarray(written), ...rest.slice(1)];
        }
    }
}

/** Parquet's hybrid of runs and packed bits, one bit a row, behind its length. */
function definitionLevels({ nullCount, validity }: ColumnBuffer, rowCount: number): Buffer {
    const run: number[] = [];
    if (nullCount === 0 || nullCount === rowCount) {
        writeVarint(run, rowCount * 2);
        run.push(nullCount === 0 ? 1 : 0);
    } else {
        writeVarint(run, Math.ceil(rowCount / 8) * 2 + 1);
    }
    const bits =
        nullCount === 0 || nullCount === rowCount ? [] : validity.subarray(0, Math.ceil(rowCount / 8));
    const length = Buffer.alloc(4);
    length.writeInt32LE(run.length + bits.length);
    return Buffer.concat([length, Buffer.from(run), Uint8Array.from(bits)]);
}

const plain = 0;
const runsAndBits = 3;

function pageHeader(rowCount: number, size: number): Buffer {
    return encodeStruct([
        [1, i32(0)],
        [2, i32(size)],
        [3, i32(size)],
        [
            5,
            struct([
                [1, i32(rowCount)],
                [2, i32(plain)],
                [3, i32(runsAndBits)],
                [4, i32(runsAndBits)],
            ]),
        ],
    ]);
}

function columnChunk(
    { name, physical }: ParquetColumn,
    { rowCount, offset, size }: { readonly rowCount: number; readonly offset: number; readonly size: number },
): ThriftValue {
    const uncompressed = i32(0);
    return struct([
        [2, i64(offset)],
        [
            3,
            struct([
                [1, i32(physicalTypes[physical])],
                [2, list("i32", [i32(plain), i32(runsAndBits)])],
                [3, list("text", [text(name)])],
                [4, uncompressed],
                [5, i64(rowCount)],
                [6, i64(size)],
                [7, i64(size)],
                [9, i64(offset)],
            ]),
        ],
    ]);
}

const fixedBytes = 16;

function schemaElement({ name, physical, meaning }: ParquetColumn): ThriftValue {
    const optional = i32(1);
    return struct([
        [1, i32(physicalTypes[physical])],
        [2, physical === "fixed" ? i32(fixedBytes) : undefined],
        [3, optional],
        [4, text(name)],
        [6, meaning && convertedType(meaning)],
        [7, meaning?.kind === "decimal" ? i32(meaning.scale) : undefined],
        [8, meaning?.kind === "decimal" ? i32(meaning.precision) : undefined],
        [10, meaning && logicalType(meaning)],
    ]);
}

function convertedType(meaning: Meaning): ThriftValue | undefined {
    switch (meaning.kind) {
        case "utf8":
            return i32(0);
        case "decimal":
            return i32(5);
        case "date":
            return i32(6);
        case "time":
            return i32(8);
        case "integer":
            return i32((meaning.isSigned ? 15 : 11) + Math.log2(meaning.bits) - 3);
        default:
            return undefined;
    }
}

/** Only the timestamps need it: the converted type cannot tell whether they are instants. */
function logicalType({ kind }: Meaning): ThriftValue | undefined {
    if (kind !== "timestamp" && kind !== "timestamptz") return undefined;
    const microseconds = struct([[2, struct([])]]);
    return struct([
        [
            8,
            struct([
                [1, truth(kind === "timestamptz")],
                [2, microseconds],
            ]),
        ],
    ]);
}

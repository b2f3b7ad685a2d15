import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, Submittable } from "pg";
import type { RawChunk } from "../warehouse/types.ts";
import type { PostgresClient } from "./connect.ts";
import { UnencodableValue } from "./copy-columns.ts";
import { copyDataHeader, copyFileHeader, copyFileTrailer, encodeChunk } from "./copy-encode.ts";

export interface CopyInOptions {
    /** Without this, as fast as the server takes it. */
    readonly maxBytesPerSecond?: number;
    readonly onProgress?: (progress: { readonly rows: number; readonly bytes: number }) => void;
    readonly signal?: AbortSignal;
}

export interface CopyInResult {
    /** As the server counted them. */
    readonly rows: number;
    readonly bytes: number;
}

/**
 * Streams chunks of DuckDB into `copy ... from stdin with (format binary)`. When the source fails the
 * connection is destroyed: a COPY that merely ended early would commit what came.
 */
export async function copyIn(
    client: PostgresClient,
    statement: string,
    chunks: AsyncIterable<RawChunk>,
    options: CopyInOptions = {},
): Promise<CopyInResult> {
    const copy = client.driver.query(new CopyInQuery(statement));
    const connection = await copy.ready;
    let rows = 0;
    let bytes = 0;
    const started = performance.now();
    try {
        for await (const chunk of chunks) {
            options.signal?.throwIfAborted();
            const data = encode(chunk, rows);
            // A server that refused a row says so at once; the rest would be sent for nothing.
            if (copy.failed) break;
            const header = bytes === 0 ? copyFileHeader : Buffer.alloc(0);
            await send(connection, header, data);
            rows += chunk.rowCount;
            bytes += header.length + data.length - copyDataHeader;
            options.onProgress?.({ rows, bytes });
            if (options.maxBytesPerSecond) {
                const due = (bytes / options.maxBytesPerSecond) * 1000 - (performance.now() - started);
                if (due > 1) await sleep(due, undefined, options.signal ? { signal: options.signal } : {});
            }
        }
    } catch (cause) {
        connection.stream.destroy();
        await copy.done.catch(() => undefined);
        throw cause;
    }
    if (!copy.failed) {
        await send(
            connection,
            bytes === 0 ? copyFileHeader : Buffer.alloc(0),
            Buffer.concat([Buffer.alloc(copyDataHeader), copyFileTrailer]),
        );
        connection.stream.write(Buffer.from([0x63, 0, 0, 0, 4]));
    }
    return { rows: await copy.done, bytes };
}

function encode(chunk: RawChunk, rowsBefore: number): Buffer {
    try {
        return encodeChunk(chunk);
    } catch (cause) {
        if (!(cause instanceof UnencodableValue)) throw cause;
        throw new Error(`row ${rowsBefore + cause.row + 1}: ${cause.message}`, { cause });
    }
}

/**
 * Writes the frame of the wire protocol ourselves, into the room that the encoder left: the driver's own
 * method copies every byte once more.
 */
async function send(connection: Connection, header: Buffer, data: Buffer): Promise<void> {
    const { stream } = connection;
    if (header.length > 0) stream.write(frame(header.length, header));
    data[0] = 0x64;
    data.writeInt32BE(data.length - 1, 1);
    if (stream.write(data)) return;
    if (stream.destroyed) throw new Error("the connection was closed during COPY");
    await new Promise<void>((resolve) => {
        const done = () => {
            stream.off("drain", done);
            stream.off("close", done);
            resolve();
        };
        stream.once("drain", done);
        stream.once("close", done);
    });
    if (stream.destroyed) throw new Error("the connection was closed during COPY");
}

function frame(length: number, data: Buffer): Buffer {
    const framed = Buffer.alloc(copyDataHeader + length);
    framed[0] = 0x64;
    framed.writeInt32BE(length + 4, 1);
    data.copy(framed, copyDataHeader);
    return framed;
}

/** What the driver calls while the statement is under way. */
class CopyInQuery implements Submittable {
    readonly ready: Promise<Connection>;
    readonly done: Promise<number>;
    failed = false;
    private readonly text: string;
    private rows = 0;
    private error: Error | undefined;
    private settleReady!: { resolve: (connection: Connection) => void; reject: (error: Error) => void };
    private settleDone!: { resolve: (rows: number) => void; reject: (error: Error) => void };

    constructor(text: string) {
        this.text = text;
        this.ready = new Promise((resolve, reject) => {
            this.settleReady = { resolve, reject };
        });
        this.done = new Promise((resolve, reject) => {
            this.settleDone = { resolve, reject };
        });
        // Whoever waits for `ready` hears of a failure there.
        this.done.catch(() => undefined);
    }

    submit(connection: Connection): void {
        connection.query(this.text);
    }
    handleCopyInResponse(connection: Connection): void {
        this.settleReady.resolve(connection);
    }
    handleCommandComplete(message: { readonly text: string }): void {
        this.rows = Number(/\d+$/.exec(message.text)?.[0] ?? 0);
    }
    handleError(error: Error): void {
        this.failed = true;
        this.error = error;
        this.settleReady.reject(error);
        // A closed connection sends no ReadyForQuery.
        this.settleDone.reject(error);
    }
    handleReadyForQuery(): void {
        if (this.error) this.settleDone.reject(this.error);
        else this.settleDone.resolve(this.rows);
    }
    handleRowDescription(): void {}
    handleDataRow(): void {}
    handleEmptyQuery(): void {}
    handlePortalSuspended(): void {}
}

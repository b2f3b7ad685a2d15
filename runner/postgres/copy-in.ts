import { setTimeout as sleep } from "node:timers/promises";
import type { RawChunk } from "../warehouse/types.ts";
import type { PostgresClient } from "./connect.ts";
import { copyFileHeader, copyFileTrailer, encodePieces } from "./copy-encode.ts";
import { copyDataHeader, openCopy } from "./copy-stream.ts";
import { UnencodableValue } from "./raw-values.ts";

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
    const copy = await openCopy(client, statement);
    let rows = 0;
    let bytes = 0;
    const started = performance.now();
    try {
        for await (const chunk of chunks) {
            options.signal?.throwIfAborted();
            for (const piece of encode(chunk, rows)) {
                // A server that refused a row says so at once; the rest would be sent for nothing.
                if (copy.hasFailed) break;
                if (bytes === 0) {
                    await copy.write(copyFileHeader);
                    bytes += copyFileHeader.length;
                }
                await copy.writeInPlace(piece);
                bytes += piece.length - copyDataHeader;
            }
            if (copy.hasFailed) break;
            rows += chunk.rowCount;
            options.onProgress?.({ rows, bytes });
            if (options.maxBytesPerSecond) {
                const due = (bytes / options.maxBytesPerSecond) * 1000 - (performance.now() - started);
                if (due > 1) await sleep(due, undefined, options.signal ? { signal: options.signal } : {});
            }
        }
        if (bytes === 0) await copy.write(copyFileHeader);
        await copy.write(copyFileTrailer);
    } catch (cause) {
        await copy.abort();
        throw cause;
    }
    return { rows: await copy.end(), bytes };
}

function* encode(chunk: RawChunk, rowsBefore: number): Generator<Buffer> {
    try {
        yield* encodePieces(chunk);
    } catch (cause) {
        if (!(cause instanceof UnencodableValue)) throw cause;
        throw new Error(`row ${rowsBefore + cause.row + 1}: ${cause.message}`, { cause });
    }
}

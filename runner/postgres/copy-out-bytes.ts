import type { Connection, Submittable } from "pg";
import type { PostgresClient } from "./connect.ts";
import { copyFileHeader, copyFileTrailer } from "./copy-encode.ts";
import { toQueryError } from "./query-failure.ts";

/** The rows of `copy ... to stdout with (format binary)` as bytes, without header and trailer. For small results. */
export async function copyOutBytes(client: PostgresClient, statement: string): Promise<Buffer> {
    try {
        const data = await new Promise<Buffer>((resolve, reject) => {
            client.driver.query(new CopyOutBytes(statement, resolve, reject));
        });
        return data.subarray(copyFileHeader.length, data.length - copyFileTrailer.length);
    } catch (error) {
        throw toQueryError(error, statement);
    }
}

class CopyOutBytes implements Submittable {
    private readonly text: string;
    private readonly resolve: (data: Buffer) => void;
    private readonly reject: (error: Error) => void;
    private readonly pieces: Buffer[] = [];

    constructor(text: string, resolve: (data: Buffer) => void, reject: (error: Error) => void) {
        this.text = text;
        this.resolve = resolve;
        this.reject = reject;
    }
    submit(connection: Connection): void {
        connection.query(this.text);
    }
    handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
        this.pieces.push(Buffer.from(chunk));
    }
    handleCommandComplete(): void {}
    handleError(error: Error): void {
        this.reject(error);
    }
    handleReadyForQuery(): void {
        this.resolve(Buffer.concat(this.pieces));
    }
}

import type { Connection, Submittable } from "pg";
import type { PostgresClient } from "./connect.ts";

/** Room for the message type and length that the wire protocol puts before a piece of COPY data. */
export const copyDataHeader = 5;

/** A `copy ... from stdin` under way. */
export interface CopyStream {
    /** The server has refused something; `end` rejects with its reason. */
    readonly hasFailed: boolean;
    /** Resolves when the server keeps up. After a failure nothing is sent any more. */
    readonly write: (piece: Buffer) => Promise<void>;
    /** As `write`, for a piece with `copyDataHeader` free bytes in front: one write instead of two. */
    readonly writeInPlace: (piece: Buffer) => Promise<void>;
    /** The rows that the server counted. */
    readonly end: () => Promise<number>;
    /** Destroys the connection: a COPY that merely ended early would commit what came. */
    readonly abort: () => Promise<void>;
}

/**
 * Starts a COPY for bytes that are made elsewhere; the client can do nothing else until it has ended. Frames
 * of the wire protocol are written here: the driver's own method copies every byte once more.
 */
export async function openCopy(client: PostgresClient, statement: string): Promise<CopyStream> {
    const copy = client.driver.query(new CopyQuery(statement));
    const { stream } = await copy.ready;
    const keepUp = async () => {
        if (!stream.destroyed) {
            await new Promise<void>((resolve) => {
                const done = () => {
                    stream.off("drain", done);
                    stream.off("close", done);
                    resolve();
                };
                stream.once("drain", done);
                stream.once("close", done);
                copy.done.then(done, done);
            });
        }
        if (stream.destroyed && !copy.hasFailed) throw new Error("the connection was closed during COPY");
    };
    return {
        get hasFailed() {
            return copy.hasFailed;
        },
        async write(piece) {
            if (copy.hasFailed || piece.length === 0) return;
            stream.write(writeHeader(Buffer.allocUnsafe(copyDataHeader), piece.length));
            if (!stream.write(piece)) await keepUp();
        },
        async writeInPlace(piece) {
            if (copy.hasFailed) return;
            if (!stream.write(writeHeader(piece, piece.length - copyDataHeader))) await keepUp();
        },
        end() {
            if (!copy.hasFailed) stream.write(Buffer.from([0x63, 0, 0, 0, 4]));
            return copy.done;
        },
        async abort() {
            stream.destroy();
            await copy.done.catch(() => undefined);
        },
    };
}

/** The length counts itself. */
function writeHeader(buffer: Buffer, length: number): Buffer {
    buffer[0] = 0x64;
    buffer.writeInt32BE(length + 4, 1);
    return buffer;
}

/** What the driver calls while the statement is under way. */
class CopyQuery implements Submittable {
    readonly ready: Promise<Connection>;
    readonly done: Promise<number>;
    hasFailed = false;
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
        this.hasFailed = true;
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

import { once } from "node:events";
import type { Connection, Submittable } from "pg";
import type { PostgresClient } from "../../runner/postgres/connect.ts";

/** A `copy ... from stdin` under way. */
export interface OpenCopy {
    /** Resolves when the server keeps up. */
    readonly write: (piece: Buffer) => Promise<void>;
    /** The rows that the server counted. */
    readonly end: () => Promise<number>;
    /** Destroys the connection: a COPY that merely ended early would keep what came. */
    readonly abort: () => void;
}

/** Starts a COPY for bytes that are made elsewhere. The client can do nothing else until it has ended. */
export async function openCopy(client: PostgresClient, statement: string): Promise<OpenCopy> {
    const copy = client.driver.query(new ByteCopy(statement));
    const { stream } = await copy.ready;
    return {
        async write(piece) {
            if (copy.hasFailed || piece.length === 0) return;
            const frame = Buffer.allocUnsafe(5);
            frame[0] = 0x64;
            frame.writeInt32BE(piece.length + 4, 1);
            stream.write(frame);
            if (!stream.write(piece)) {
                // A server that refuses a row reads on no longer.
                await Promise.race([once(stream, "drain"), copy.done]).catch(() => undefined);
            }
        },
        end() {
            if (!copy.hasFailed) stream.write(Buffer.from([0x63, 0, 0, 0, 4]));
            return copy.done;
        },
        abort: () => void stream.destroy(),
    };
}

class ByteCopy implements Submittable {
    readonly ready: Promise<Connection>;
    readonly done: Promise<number>;
    hasFailed = false;
    private readonly statement: string;
    private rows = 0;
    private error: Error | undefined;
    private settleReady!: {
        readonly resolve: (connection: Connection) => void;
        readonly reject: (error: Error) => void;
    };
    private settleDone!: {
        readonly resolve: (rows: number) => void;
        readonly reject: (error: Error) => void;
    };

    constructor(statement: string) {
        this.statement = statement;
        this.ready = new Promise((resolve, reject) => {
            this.settleReady = { resolve, reject };
        });
        this.done = new Promise((resolve, reject) => {
            this.settleDone = { resolve, reject };
        });
        this.ready.catch(() => undefined);
        this.done.catch(() => undefined);
    }

    submit(connection: Connection): void {
        connection.query(this.statement);
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

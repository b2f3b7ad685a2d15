import type { Socket } from "node:net";
import type { PostgresClient } from "./connect.ts";

/** Takes the rows of a binary COPY as they come. What it throws ends the COPY and is thrown to the caller. */
export interface CopySink {
    /**
     * One message of the server: one row, the first one behind the format's header. The bytes from `start`
     * to `end` are good until it returns.
     */
    message(bytes: Buffer, view: DataView, start: number, end: number): void;
    /** Asked after each burst: while the promise is pending nothing is read from the socket. */
    pause?(): Promise<void> | undefined;
}

const copyData = 0x64;
const firstBufferBytes = 1 << 20;

/**
 * Runs `copy ... to stdout (format binary)` and hands its rows to the sink without an object per row:
 * the driver's own parser makes one for each, which more than doubles the time of a COPY. So this reads the socket in
 * the driver's place, keeps the rows, and passes all other messages (errors, notices, the end) on to it.
 * Returns the number of rows.
 */
export async function copyOut(client: PostgresClient, sql: string, sink: CopySink): Promise<number> {
    const { stream } = (client.driver as unknown as { readonly connection: { readonly stream: Socket } })
        .connection;
    const [driverListener] = stream.listeners("data") as ((data: Buffer) => void)[];
    if (!driverListener) throw new Error("the connection reads nothing: it is closed");
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown) => {
        failure ??= { error };
        // The server would go on sending the whole table.
        stream.destroy();
    };
    const split = splitMessages(sink, driverListener);
    const listener = (data: Buffer) => {
        if (failure) return;
        try {
            split(data);
            const pause = sink.pause?.();
            if (!pause) return;
            stream.pause();
            pause.then(() => stream.resume(), fail);
        } catch (error) {
            fail(error);
        }
    };
    stream.off("data", driverListener);
    stream.on("data", listener);
    try {
        const { rowCount } = await client.query(sql);
        if (failure) throw failure.error;
        return rowCount;
    } catch (error) {
        throw failure ? failure.error : error;
    } finally {
        stream.off("data", listener);
        stream.on("data", driverListener);
    }
}

/** Messages are a letter, a length that counts itself, and a body; they end anywhere within what a socket delivers. */
function splitMessages(sink: CopySink, others: (data: Buffer) => void): (data: Buffer) => void {
    let buffer = Buffer.allocUnsafeSlow(firstBufferBytes);
    let view = new DataView(buffer.buffer);
    let filled = 0;
    return (data) => {
        if (filled + data.length > buffer.length) {
            const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, filled + data.length));
            buffer.copy(larger, 0, 0, filled);
            buffer = larger;
            view = new DataView(buffer.buffer);
        }
        data.copy(buffer, filled);
        filled += data.length;
        let position = 0;
        while (filled - position >= 5) {
            const end = position + 1 + view.getInt32(position + 1);
            if (end > filled) break;
            if (buffer[position] === copyData) sink.message(buffer, view, position + 5, end);
            else others(Buffer.from(buffer.subarray(position, end)));
            position = end;
        }
        if (position > 0) buffer.copy(buffer, 0, position, filled);
        filled -= position;
    };
}

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { type EventStream, openEventStream } from "../../runner/serve/event-stream.ts";
import type { RunMessage } from "../../runner/serve/run-supervisor.ts";

const message: RunMessage = {
    event: { type: "note", level: "info", message: "x".repeat(10_000) },
    progress: {
        status: "transforming",
        phase: "features",
        phaseNumber: 3,
        totalPhases: 5,
        message: "",
        rowsProcessed: 0,
    },
};

/** A stream to a client that has asked and reads nothing more. */
async function withIdleReader(
    patienceMs: number,
    use: (stream: EventStream, closed: Promise<void>) => Promise<void>,
): Promise<void> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.on("error", () => undefined);
    client.pause();
    client.write("GET /runs/x/events HTTP/1.1\r\nhost: x\r\n\r\n");
    const [, response] = await once(server, "request");
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
        close = resolve;
    });
    try {
        await use(openEventStream(response, close, patienceMs), closed);
    } finally {
        client.destroy();
        server.close();
    }
}

it("A client of the events that reads nothing is cut off once too much waits for it", () =>
    withIdleReader(600_000, async (stream, closed) => {
        let isClosed = false;
        closed.then(() => {
            isClosed = true;
        });
        let sent = 0;
        // The system's buffers take some megabytes before anything waits here.
        for (; !isClosed && sent < 20_000; sent++) {
            stream.send(message);
            await turn();
        }
        expect(isClosed).toBe(true);
        expect(sent).toBeGreaterThan(100);
        // Nobody is told of what comes after; nothing breaks.
        stream.send(message);
        stream.end({});
    }));

it("A client of the events that takes nothing for too long is cut off, however little waits", () =>
    withIdleReader(50, async (stream, closed) => {
        let isClosed = false;
        closed.then(() => {
            isClosed = true;
        });
        const send = setInterval(() => stream.send(message), 1);
        await closed;
        clearInterval(send);
        expect(isClosed).toBe(true);
    }));

import type { ServerResponse } from "node:http";
import { scrubbedJson } from "../secrets.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import type { RunMessage } from "./run-supervisor.ts";

const heartbeatMs = 15_000;
/** A client that lets so much pile up is cut off: it may come back, the run does not wait. */
const mostBytesWaiting = 1 << 20;
/** So is one that takes nothing for so long, however little waits: it holds one of few places. */
const drainMs = 30_000;

export interface EventStream {
    readonly send: (message: RunMessage) => void;
    readonly end: (data: unknown) => void;
}

/** Server-sent events on a response that the framework has let go of. */
export function openEventStream(
    response: ServerResponse,
    onClose: () => void,
    patienceMs = drainMs,
): EventStream {
    response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        connection: "keep-alive",
        // Proxies must not collect events.
        "x-accel-buffering": "no",
    });
    let stuck: NodeJS.Timeout | undefined;
    const write = (text: string) => {
        if (response.writableLength > mostBytesWaiting) response.destroy();
        else if (!response.write(text)) stuck ??= setTimeout(() => response.destroy(), patienceMs);
    };
    response.on("drain", () => {
        clearTimeout(stuck);
        stuck = undefined;
    });
    const heartbeat = setInterval(() => write(": still here\n\n"), heartbeatMs);
    response.on("close", () => {
        clearInterval(heartbeat);
        clearTimeout(stuck);
        onClose();
    });
    response.on("error", () => undefined);
    let id = 0;
    return {
        send: ({ event, progress }) => write(encode(event.type, { ...event, progress }, id++)),
        end(data) {
            write(encode("end", data, id++));
            response.end();
        },
    };
}

function encode(type: string, data: unknown, id: number): string {
    return `id: ${id}\nevent: ${type}\ndata: ${scrubbedJson(toSnakeCase(data))}\n\n`;
}

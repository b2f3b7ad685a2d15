import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface StallingProxy {
    /** The database behind it, by way of it. */
    readonly url: string;
    /** From now on nothing is forwarded, and nothing is closed: as a network does that has gone away. */
    stall(): void;
    resume(): void;
}

/** A network between a run and its database that can be made to stand still. */
export async function withStallingProxy<T>(
    databaseUrl: string,
    use: (proxy: StallingProxy) => Promise<T>,
): Promise<T> {
    const target = new URL(databaseUrl);
    const pairs = new Set<readonly [Socket, Socket]>();
    let isStalled = false;
    const server = createServer((client) => {
        const upstream = connect(Number(target.port), target.hostname);
        const pair = [client, upstream] as const;
        pairs.add(pair);
        for (const [from, to] of [pair, [upstream, client] as const]) {
            if (isStalled) from.pause();
            from.on("data", (data) => to.write(data));
            // A network that stands still does not tell the other side that this one has gone.
            from.on("close", () => !isStalled && end(pair));
            from.on("error", () => undefined);
        }
    });
    const end = (pair: readonly [Socket, Socket]) => {
        pairs.delete(pair);
        for (const socket of pair) socket.destroy();
    };
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = new URL(databaseUrl);
    url.hostname = "127.0.0.1";
    url.port = String((server.address() as AddressInfo).port);
    try {
        return await use({
            url: url.href,
            stall() {
                isStalled = true;
                for (const socket of [...pairs].flat()) socket.pause();
            },
            resume() {
                isStalled = false;
                for (const pair of pairs) {
                    if (pair.some((socket) => socket.destroyed)) end(pair);
                    else for (const socket of pair) socket.resume();
                }
            },
        });
    } finally {
        for (const pair of pairs) end(pair);
        server.close();
    }
}

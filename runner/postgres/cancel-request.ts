import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionSettings } from "./connection-settings.ts";

const cancelRequestCode = 80877102;
const sslRequestCode = 80877103;

/**
 * Asks the server to stop what a session runs. It takes a connection of its own, since the session's is
 * busy, and no answer comes. Destroying the session's socket alone would not do: a statement that sends
 * nothing, such as a sort, goes on and keeps its locks.
 */
export async function sendCancelRequest(
    settings: ConnectionSettings,
    session: { readonly processID: number; readonly secretKey: number },
): Promise<void> {
    const { host, port, tls } = settings;
    const plain = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    plain.setTimeout(1000, () => plain.destroy(new Error("timeout")));
    plain.on("error", () => {});
    await once(plain, "connect");
    const socket = tls ? await startTls(plain, tls) : plain;
    const message = Buffer.alloc(16);
    message.writeInt32BE(16, 0);
    message.writeInt32BE(cancelRequestCode, 4);
    message.writeInt32BE(session.processID, 8);
    message.writeInt32BE(session.secretKey, 12);
    socket.end(message);
    await once(socket, "close");
}

async function startTls(plain: Socket, tls: Exclude<ConnectionSettings["tls"], false>): Promise<Socket> {
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(sslRequestCode, 4);
    plain.write(request);
    const [answer] = (await once(plain, "data")) as [Buffer];
    if (answer.toString() !== "S") throw new Error("the server refused TLS");
    const secure = connectTls({ socket: plain, ...tls });
    secure.on("error", () => {});
    await once(secure, "secureConnect");
    return secure;
}

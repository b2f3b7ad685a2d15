import { execFile, spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What postmaster.pid in the data directory says. */
export interface Postmaster {
    readonly pid: number;
    readonly port: number;
    /** `starting`, `ready`, `stopping`, `standby`; empty while it has hardly begun. */
    readonly status: string;
}

/** The server of a data directory, if its process is alive; a file left by a crash counts as none. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
    const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const lines = text.split("\n");
    const pid = Number(lines[0]);
    if (!(pid > 0) || !isAlive(pid)) return undefined;
    // After a restart of the machine or container the number can belong to anybody, even to us.
    if (pid === process.pid || !(await isPostgres(pid))) return undefined;
    return { pid, port: Number(lines[3]), status: (lines[7] ?? "").trim() };
}

export function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

async function isPostgres(pid: number): Promise<boolean> {
    if (process.platform === "win32") return true;
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => undefined);
    // A killed process that nobody has waited for yet has a name still, but is gone.
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (name !== undefined) return name.startsWith("postgres") && !/\) [ZX] /.test(state);
    return new Promise((settle) => {
        execFile("ps", ["-p", String(pid), "-o", "comm="], (error, stdout) => {
            settle(error === null && stdout.includes("postgres"));
        });
    });
}

/** The question for TLS, which a server answers with one letter before any password. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Whether a Postgres answers there: that a port is open can mean its process is just dying. */
export async function isAccepting(port: number): Promise<boolean> {
    return new Promise((settle) => {
        const socket = connect({ host: "127.0.0.1", port }, () => socket.write(sslRequest));
        const end = (answers: boolean) => {
            socket.destroy();
            settle(answers);
        };
        socket.setTimeout(2_000, () => end(false));
        socket.once("data", () => end(true)).once("error", () => end(false));
        socket.once("close", () => end(false));
    });
}

export async function freePort(): Promise<number> {
    return new Promise((settle, fail) => {
        const server = createServer().once("error", fail);
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            server.close(() => settle(typeof address === "object" ? (address?.port ?? 0) : 0));
        });
    });
}

/** Fast shutdown: sessions end, data are written. After `patienceMs` the hard way, which recovery mends. */
export async function stopPostmaster(data: string, patienceMs = 20_000): Promise<void> {
    const running = await readPostmaster(data);
    if (running === undefined) return;
    signal(running.pid, "SIGINT");
    if (await isGone(running.pid, patienceMs)) return;
    signal(running.pid, "SIGQUIT");
    if (await isGone(running.pid, 5_000)) return;
    signal(running.pid, "SIGKILL");
}

async function isGone(pid: number, patienceMs: number): Promise<boolean> {
    for (let waited = 0; waited < patienceMs; waited += 20) {
        if (!isAlive(pid) || !(await isPostgres(pid))) return true;
        await sleep(20);
    }
    return false;
}

function signal(pid: number, name: NodeJS.Signals): void {
    try {
        process.kill(pid, name);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

// Reads until the other end of the pipe is closed, by whatever ended the process that held it. Then
// the server stops, unless some living process uses it too.
const watchdogScript = `
read -r line
[ "$line" = done ] && exit 0
rm -f "$2"
for user in "$1"/../users/*; do
    [ -e "$user" ] || continue
    number=\${user##*/}
    [ "$number" = persistent ] && exit 0
    kill -0 "\${number%%-*}" 2>/dev/null && exit 0
done
kill -INT "$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)" 2>/dev/null
`;

/**
 * A shell that stops the cluster's server when this process is gone, even by kill -9.
 *
 * @returns call it when the server was stopped or left on purpose.
 */
export async function startWatchdog(folder: string, user: string): Promise<() => void> {
    const available = await stat("/bin/sh").catch(() => undefined);
    if (available === undefined) return () => undefined;
    const shell = spawn("/bin/sh", ["-c", watchdogScript, "sh", folder, user], {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
        cwd: "/",
    });
    shell.on("error", () => undefined);
    shell.stdin.on("error", () => undefined);
    shell.unref();
    // A pipe of spawn() is a socket, which holds the event loop open unless told not to.
    (shell.stdin as unknown as { unref?: () => void }).unref?.();
    return () => shell.stdin.end("done\n");
}

import { spawn } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../../runner/errors.ts";
import { type Cluster, serverEnvironment } from "./cluster.ts";
import type { Natives } from "./natives.ts";
import { freePort, isAccepting, readPostmaster } from "./process.ts";
import { serverSettings } from "./settings.ts";

export interface LaunchOptions {
    /** Default: any free one. */
    readonly port?: number;
    readonly signal?: AbortSignal;
}

const startPatienceMs = 60_000;

export interface Joined {
    readonly port: number;
    readonly isReused: boolean;
}

/** A failure is data here: what the server said when the data directory itself is the likely cause. */
export async function joinOrStart(
    cluster: Cluster,
    natives: Natives,
    { port: wantedPort, signal }: LaunchOptions,
): Promise<Joined | { readonly failure: string }> {
    const deadline = performance.now() + startPatienceMs;
    for (;;) {
        signal?.throwIfAborted();
        if (performance.now() > deadline) {
            throw new ConfigError(
                `Postgres in ${cluster.data} did not answer within ${startPatienceMs / 1000} s; see ${cluster.log}`,
            );
        }
        const running = await readPostmaster(cluster.data);
        if (running?.status === "ready" && (await isAccepting(running.port))) {
            return { port: running.port, isReused: true };
        }
        // Somebody else's is on its way up or down: one of both ends soon.
        if (running !== undefined) {
            await sleep(50);
            continue;
        }
        const port = wantedPort ?? (await freePort());
        const failure = await launch(cluster, natives, port, deadline, signal);
        if (failure === undefined) return { port, isReused: false };
        if (/could not bind/i.test(failure)) {
            if (wantedPort === undefined) continue;
            throw new ConfigError(
                `Port ${wantedPort} is taken: choose another one for the sandbox, or leave the choice to it.`,
            );
        }
        // Another process started it first, or remnants of a killed server have not died yet.
        if (
            /lock file .* already exists|shared memory block .* is still in use|lock file .* is empty/i.test(
                failure,
            )
        ) {
            await rmStalePid(cluster.data);
            await sleep(100);
            continue;
        }
        if (
            /No space left|Permission denied|could not create shared memory|Cannot allocate memory/i.test(
                failure,
            )
        ) {
            throw new ConfigError(`Postgres cannot run in ${cluster.data}:\n${failure}`);
        }
        return { failure };
    }
}

/** Starts the server and waits until it accepts; returns what it said when it ended instead. */
async function launch(
    cluster: Cluster,
    natives: Natives,
    port: number,
    deadline: number,
    signal: AbortSignal | undefined,
): Promise<string | undefined> {
    const log = await open(cluster.log, "a", 0o600);
    const { size: saidBefore } = await log.stat();
    const settings = (await serverSettings(port)).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const server = spawn(natives.postgres, ["-D", cluster.data, ...settings], {
        // Out of the terminal's process group: Ctrl-C is for this process to understand.
        detached: true,
        cwd: "/",
        env: serverEnvironment(),
        stdio: ["ignore", log.fd, log.fd],
        ...(cluster.account && { uid: cluster.account.uid, gid: cluster.account.gid }),
    });
    let ended: string | undefined;
    server.once("error", (error) => {
        ended = error.message;
    });
    server.once("exit", (code, name) => {
        ended ??= `ended with ${name ?? code}`;
    });
    server.unref();
    await log.close();
    while (ended === undefined) {
        const running = await readPostmaster(cluster.data);
        const isOurs = running?.pid === server.pid;
        if (isOurs && running?.status === "ready" && (await isAccepting(port))) return undefined;
        if (signal?.aborted || performance.now() > deadline) {
            server.kill("SIGQUIT");
            signal?.throwIfAborted();
        }
        await sleep(10);
    }
    const said = await readFile(cluster.log).catch(() => Buffer.alloc(0));
    return said.toString("utf8", saidBefore).trim() || ended;
}

/** Removes the file of a server that is gone where its number now belongs to another process of the same account. */
async function rmStalePid(data: string): Promise<void> {
    if ((await readPostmaster(data)) === undefined) await rm(join(data, "postmaster.pid"), { force: true });
}

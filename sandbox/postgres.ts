import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { registerSecret } from "../runner/secrets.ts";
import { serverAccount } from "./postgres/account.ts";
import { type Cluster, ensureCluster, moveAway, serverEnvironment } from "./postgres/cluster.ts";
import { type Natives, prepareNatives } from "./postgres/natives.ts";
import { clusterPlace } from "./postgres/place.ts";
import {
    freePort,
    isAccepting,
    isAlive,
    readPostmaster,
    startWatchdog,
    stopPostmaster,
} from "./postgres/process.ts";
import { serverSettings } from "./postgres/settings.ts";

export interface PostgresOptions {
    /** Where the cluster stands, made when absent. Where the server's account could not work there, a note says where instead. */
    readonly dataDirectory: string;
    /** Default: any free one. A server that runs already keeps its own. */
    readonly port?: number;
    /** The server outlives this process, until somebody calls stop(). Default: it ends with the last process that uses it. */
    readonly persistent?: boolean;
    /** Gives up starting. A server that has started is stopped by `stop()`. */
    readonly signal?: AbortSignal;
    readonly note?: (message: string) => void;
    /** The `native` folder of the package with Postgres' programs; found by itself. */
    readonly natives?: string;
}

export interface RunningPostgres {
    /** Superuser `postgres`, database `postgres`, with the password. */
    readonly url: string;
    readonly port: number;
    /** `18.4` */
    readonly version: string;
    /** The data directory proper. */
    readonly data: string;
    /** True where another process had started it. */
    readonly isReused: boolean;
    /** Ends the server when no other living process uses it. Safe to call twice. */
    readonly stop: () => Promise<void>;
}

const startPatienceMs = 60_000;

/** Starts the embedded Postgres on a data directory, or joins the server that runs there. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
    const { note = () => undefined, signal } = options;
    signal?.throwIfAborted();
    const account = serverAccount();
    const natives = await prepareNatives({
        account,
        note,
        ...(options.natives !== undefined && { folder: options.natives }),
    });
    const place = await clusterPlace(options.dataDirectory, account, note);
    const deadline = performance.now() + startPatienceMs;
    for (let hasMovedAway = false; ; ) {
        const cluster = await ensureCluster({ place, natives, account, note });
        // Registered first: who stops the server meanwhile must see that it is wanted.
        const user = await registerUser(place, options.persistent ?? false);
        try {
            const outcome = await joinOrStart(cluster, natives, options, deadline);
            if (!("failure" in outcome))
                return await describe(outcome, { options, cluster, natives, place, user });
            if (hasMovedAway)
                throw new Error(`Postgres does not start in ${cluster.data}:\n${outcome.failure}`);
            await moveAway(place, `unusable (${lastLine(outcome.failure)})`, note);
            hasMovedAway = true;
            await rm(user, { force: true });
        } catch (error) {
            await rm(user, { force: true });
            throw error;
        }
    }
}

interface Joined {
    readonly port: number;
    readonly isReused: boolean;
}

/** A failure is data here: what the server said when the data directory itself is the likely cause. */
async function joinOrStart(
    cluster: Cluster,
    natives: Natives,
    { port: wantedPort, signal }: PostgresOptions,
    deadline: number,
): Promise<Joined | { readonly failure: string }> {
    for (;;) {
        signal?.throwIfAborted();
        if (performance.now() > deadline) {
            throw new Error(
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
            throw new Error(
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
            throw new Error(`Postgres cannot run in ${cluster.data}:\n${failure}`);
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
    const log = await open(cluster.log, "w", 0o600);
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
    const said = await readFile(cluster.log, "utf8").catch(() => "");
    return said.trim() || ended;
}

async function describe(
    { port, isReused }: Joined,
    context: {
        readonly options: PostgresOptions;
        readonly cluster: Cluster;
        readonly natives: Natives;
        readonly place: string;
        readonly user: string;
    },
): Promise<RunningPostgres> {
    const { options, cluster, natives, place, user } = context;
    const endWatch = options.persistent ? () => undefined : await startWatchdog(cluster.folder, user);
    const url = `postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`;
    registerSecret(url);
    let stopping: Promise<void> | undefined;
    const stop = async () => {
        await rm(user, { force: true });
        if (!(await isUsed(place))) await stopPostmaster(cluster.data);
        endWatch();
    };
    return {
        url,
        port,
        version: natives.version,
        data: cluster.data,
        isReused,
        stop: () => (stopping ??= stop()),
    };
}

/** One file per use, named by the process, so that the last to leave turns off the light. */
async function registerUser(place: string, isPersistent: boolean): Promise<string> {
    const users = join(place, "users");
    await mkdir(users, { recursive: true });
    const file = join(
        users,
        isPersistent ? "persistent" : `${process.pid}-${randomBytes(3).toString("hex")}`,
    );
    await writeFile(file, "");
    return file;
}

async function isUsed(place: string): Promise<boolean> {
    const users = join(place, "users");
    let used = false;
    for (const name of await readdir(users)) {
        if (name === "persistent" || isAlive(Number(name.split("-")[0]))) used = true;
        else await rm(join(users, name), { force: true });
    }
    return used;
}

/** Removes the file of a server that is gone where its number now belongs to another process of the same account. */
async function rmStalePid(data: string): Promise<void> {
    if ((await readPostmaster(data)) === undefined) await rm(join(data, "postmaster.pid"), { force: true });
}

function lastLine(text: string): string {
    return (
        text.split("\n").findLast((line) => /FATAL|PANIC|ERROR/.test(line)) ?? text.split("\n").at(-1) ?? ""
    );
}

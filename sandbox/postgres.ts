import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../runner/errors.ts";
import { registerSecret } from "../runner/secrets.ts";
import { serverAccount } from "./postgres/account.ts";
import { type Cluster, ensureCluster, moveAway } from "./postgres/cluster.ts";
import { type Joined, joinOrStart } from "./postgres/launch.ts";
import { type Natives, prepareNatives } from "./postgres/natives.ts";
import { clusterPlace, possiblePlaces } from "./postgres/place.ts";
import { startWatchdog, stopPostmaster } from "./postgres/process.ts";
import { forgetPersistence, isUsed, registerUser } from "./postgres/users.ts";

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
    for (let hasMovedAway = false; ; ) {
        const cluster = await ensureCluster({ place, natives, account, note });
        // Registered first: who stops the server meanwhile must see that it is wanted.
        const user = await registerUser(place, options.persistent ?? false);
        try {
            const outcome = await joinOrStart(cluster, natives, options);
            if (!("failure" in outcome)) {
                if (!outcome.isReused && !options.persistent) await forgetPersistence(place);
                return await describe(outcome, { options, cluster, natives, place, user });
            }
            if (hasMovedAway)
                throw new ConfigError(`Postgres does not start in ${cluster.data}:\n${outcome.failure}`);
            await moveAway(place, `unusable (${lastLine(outcome.failure)})`, note);
            hasMovedAway = true;
            await rm(user, { force: true });
        } catch (error) {
            await rm(user, { force: true });
            throw error;
        }
    }
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

/** Removes a cluster with its data, wherever it stands; refuses while a living process uses it. */
export async function removePostgres(dataDirectory: string): Promise<void> {
    for (const place of possiblePlaces(dataDirectory)) {
        await forgetPersistence(place);
        if (await isUsed(place)) {
            throw new ConfigError(
                `${place}: a running process uses this database. End it first (rebuild sandbox: Ctrl-C), then remove it.`,
            );
        }
        await stopPostmaster(join(place, "cluster", "data"));
        await rm(place, { recursive: true, force: true });
    }
}

function lastLine(text: string): string {
    return (
        text.split("\n").findLast((line) => /FATAL|PANIC|ERROR/.test(line)) ?? text.split("\n").at(-1) ?? ""
    );
}

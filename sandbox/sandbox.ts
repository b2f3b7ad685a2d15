import { join } from "node:path";
import { withClient } from "../runner/postgres/connect.ts";
import { registerSecret } from "../runner/secrets.ts";
import { defaultWorld, ensureWorld, type LoadedSource } from "./load/ensure-world.ts";
import { prepareDatabase } from "./load/schema.ts";
import { removePostgres, startPostgres } from "./postgres.ts";

export { ensureWorld, type LoadedSource } from "./load/ensure-world.ts";
export { loadFolder } from "./load/load-folder.ts";

export interface SandboxOptions {
    /** Absolute path of the project: the sandbox stands in its target folder. */
    readonly root: string;
    readonly note?: (message: string) => void;
    readonly signal?: AbortSignal;
    /** Default: any free one. */
    readonly port?: number;
}

export interface Sandbox {
    /** Superuser's connection string, password included. */
    readonly url: string;
    readonly port: number;
    /** The server's: `18.4`. */
    readonly version: string;
    /** True where another process, such as `rebuild sandbox`, had started it. */
    readonly isReused: boolean;
    /** Ends the server, unless another process uses it. */
    readonly stop: () => Promise<void>;
}

const databaseName = "racealpha";

/** The sandbox's name in the project's target folder. */
export const sandboxFolder = "sandbox";

/** A Postgres of the project's own with the database in place; its tables are up to `ensureWorld` or `loadFolder`. */
export async function openSandbox({ root, note, signal, port }: SandboxOptions): Promise<Sandbox> {
    const server = await startPostgres({
        dataDirectory: placeOf(root),
        ...(note && { note }),
        ...(signal && { signal }),
        ...(port !== undefined && { port }),
    });
    try {
        const url = new URL(server.url);
        url.pathname = `/${databaseName}`;
        registerSecret(url.href);
        await createDatabase(server.url, signal);
        await withClient(
            { url: url.href, applicationName: "sandbox", ...(signal && { signal }) },
            prepareDatabase,
        );
        const { version, isReused, stop } = server;
        return { url: url.href, port: server.port, version, isReused, stop };
    } catch (error) {
        await server.stop();
        throw error;
    }
}

/** The sandbox for as long as the callback runs. */
export async function withSandbox<T>(
    options: SandboxOptions,
    callback: (url: string) => Promise<T>,
): Promise<T> {
    const sandbox = await openSandbox(options);
    try {
        return await callback(sandbox.url);
    } finally {
        await sandbox.stop();
    }
}

export interface ResetOptions {
    /** Races in the new world. */
    readonly size?: number;
    readonly seed?: number;
    readonly note?: (message: string) => void;
    readonly signal?: AbortSignal;
}

/** Simulates a new world over whatever the source tables hold. */
export async function resetWorld(
    url: string,
    { size, seed, ...options }: ResetOptions,
): Promise<LoadedSource> {
    const { races, seed: usualSeed } = defaultWorld;
    return ensureWorld(url, { ...options, races: size ?? races, seed: seed ?? usualSeed, replace: true });
}

/** Removes the sandbox with all its data; refuses while a process uses it. */
export async function removeSandbox(root: string): Promise<void> {
    await removePostgres(placeOf(root));
}

function placeOf(root: string): string {
    return join(root, "target", sandboxFolder);
}

async function createDatabase(url: string, signal: AbortSignal | undefined): Promise<void> {
    await withClient({ url, applicationName: "sandbox", ...(signal && { signal }) }, async (client) => {
        const { rowCount } = await client.query("select from pg_database where datname = $1", [databaseName]);
        if (rowCount > 0) return;
        await client
            .query(`create database ${databaseName}`)
            .catch((error: { failure?: { code?: string } }) => {
                // Another process was quicker.
                if (error.failure?.code !== "42P04" && error.failure?.code !== "23505") throw error;
            });
    });
}

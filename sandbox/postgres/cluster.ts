import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../../runner/errors.ts";
import { type Account, accountOfOwner } from "./account.ts";
import type { Natives } from "./natives.ts";

/** A data directory with what belongs to it. */
export interface Cluster {
    /** Holds all of it; moved as one. */
    readonly folder: string;
    readonly data: string;
    readonly log: string;
    readonly password: string;
    /** Whom the server of this cluster runs as; undefined: this process' user. */
    readonly account: Account | undefined;
}

/** The cluster in `place`, made when there is none; one of another major version is moved away first. */
export async function ensureCluster(options: {
    readonly place: string;
    readonly natives: Natives;
    readonly account: Account | undefined;
    readonly note: (message: string) => void;
}): Promise<Cluster> {
    const { place, natives, account, note } = options;
    const found = await readCluster(place, account);
    if (found !== undefined) {
        const version = await readFile(join(found.data, "PG_VERSION"), "utf8").catch(() => "unknown");
        if (version.trim() === natives.version.split(".")[0]) return found;
        await moveAway(
            place,
            `of Postgres version ${version.trim()}, where ${natives.version} runs now`,
            note,
        );
    }
    await initialise(place, natives, account);
    const made = await readCluster(place, account);
    if (made === undefined) throw new ConfigError(`initdb left no cluster in ${place}`);
    return made;
}

/** The sandbox can be made anew at any time, so an unusable cluster stands in nobody's way; the last one is kept. */
export async function moveAway(place: string, why: string, note: (message: string) => void): Promise<void> {
    for (const name of await readdir(place)) {
        if (name.startsWith("cluster.unusable"))
            await rm(join(place, name), { recursive: true, force: true });
    }
    const to = join(place, `cluster.unusable.${randomBytes(3).toString("hex")}`);
    await rename(join(place, "cluster"), to);
    note(`The sandbox's data directory was ${why}. It is kept as ${to}; a new one is made.`);
}

async function readCluster(place: string, account: Account | undefined): Promise<Cluster | undefined> {
    const folder = join(place, "cluster");
    const data = join(folder, "data");
    const password = await readFile(join(folder, "password"), "utf8").catch(() => undefined);
    const owner = await stat(data).catch(() => undefined);
    if (password === undefined || owner === undefined) {
        // Left by somebody who removed files by hand: in the way of the rename that makes a new one.
        await rm(folder, { recursive: true, force: true });
        return undefined;
    }
    return {
        folder,
        data,
        log: join(folder, "server.log"),
        password,
        account: accountOfOwner(owner.uid, owner.gid) ?? account,
    };
}

/** Appears complete, password and all, or not at all; of two processes that make one, the quicker wins. */
async function initialise(place: string, natives: Natives, account: Account | undefined): Promise<void> {
    const folder = join(place, `cluster.${process.pid}.${randomBytes(3).toString("hex")}`);
    const data = join(folder, "data");
    const given = join(folder, "password.initdb");
    const password = randomBytes(18).toString("base64url");
    await mkdir(data, { recursive: true });
    await chmod(folder, 0o711);
    await chmod(data, 0o700);
    await writeFile(join(folder, "password"), password, { mode: 0o600 });
    await writeFile(given, password, { mode: 0o600 });
    if (account) {
        await chown(data, account.uid, account.gid);
        await chown(given, account.uid, account.gid);
    }
    try {
        await runInitdb(natives.initdb, data, given, account);
        await rm(given);
        await rename(folder, join(place, "cluster"));
    } catch (error) {
        await rm(folder, { recursive: true, force: true });
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    }
}

function runInitdb(initdb: string, data: string, given: string, account: Account | undefined): Promise<void> {
    const settings = [
        ["--pgdata", data],
        ["--username", "postgres"],
        ["--pwfile", given],
        ["--auth", "scram-sha-256"],
        ["--encoding", "UTF8"],
        // The one locale that every system has.
        ["--locale", "C"],
        ["--no-sync"],
        ["--no-instructions"],
    ].map(([name, value]) => (value === undefined ? name! : `${name}=${value}`));
    return new Promise((settle, fail) => {
        execFile(
            initdb,
            settings,
            { cwd: "/", env: serverEnvironment(), ...(account && { uid: account.uid, gid: account.gid }) },
            (error, stdout, stderr) => {
                if (error === null) return settle();
                fail(
                    new ConfigError(`initdb could not make ${data}:\n${(stderr || stdout).trim()}`, {
                        cause: error,
                    }),
                );
            },
        );
    });
}

/** Neither the caller's locale nor its PG* variables reach the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|LD_|TZ$)/.test(name));
    return { ...Object.fromEntries(kept), LC_ALL: "C" };
}

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { PublishError } from "../errors.ts";
import { registerLeftovers } from "../leftovers.ts";

/** What a holder tells about itself to those who meet its lock. */
export interface LockInfo {
    readonly runId: string;
    /** Such as `rebuild run`. */
    readonly command: string;
}

interface Holder extends LockInfo {
    readonly pid: number;
    readonly since: string;
}

/**
 * The operating system's lock belongs to the process: a second opener inside this one would get it too, and
 * free it on closing. So this process keeps a list of its own.
 */
const heldHere = new Map<string, Holder>();

/**
 * Holds the only lock on a directory for the time of the callback. It is DuckDB's lock on an empty database
 * file, which the kernel frees when the process ends, however it ends. Nothing else may open that file:
 * closing any handle on it, even one for reading, frees the lock.
 */
export async function withDirectoryLock<T>(
    directory: string,
    info: LockInfo,
    callback: () => Promise<T>,
): Promise<T> {
    await mkdir(directory, { recursive: true });
    const place = await realpath(directory);
    const holder: Holder = { ...info, pid: process.pid, since: new Date().toISOString() };
    const here = heldHere.get(place);
    if (here) throw lockedError(directory, here);
    heldHere.set(place, holder);
    try {
        const lock = await openLock(place, directory);
        const forget = registerLeftovers(holderPath(place));
        try {
            await removeStale(place);
            await writeHolder(place, holder);
            return await callback();
        } finally {
            await rm(holderPath(place), { force: true });
            forget();
            lock.closeSync();
        }
    } finally {
        heldHere.delete(place);
    }
}

const lockPath = (place: string) => join(place, "run.lock.duckdb");
const holderPath = (place: string) => join(place, "run.lock.json");

async function openLock(place: string, directory: string): Promise<DuckDBInstance> {
    await createLockFile(place);
    try {
        return await DuckDBInstance.create(lockPath(place), { threads: "1", memory_limit: "32MB" });
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!message.includes("Could not set lock")) throw error;
        const pid = Number(/PID (\d+)/.exec(message)?.[1]);
        throw lockedError(directory, await readHolder(place, pid), { cause: error });
    }
}

/** Made aside and linked: a process that dies here leaves no half-written file under the lock's name. */
async function createLockFile(place: string): Promise<void> {
    if (existsSync(lockPath(place))) return;
    const temporary = join(place, `run.lock.${randomBytes(4).toString("hex")}.tmp`);
    try {
        (await DuckDBInstance.create(temporary)).closeSync();
        await link(temporary, lockPath(place));
    } catch (error) {
        // Somebody else was faster; ENOENT: and cleaned up already.
        if (!existsSync(lockPath(place))) throw error;
    } finally {
        await rm(temporary, { force: true });
    }
}

/** What processes left that were killed while they took the lock. */
async function removeStale(place: string): Promise<void> {
    for (const name of await readdir(place)) {
        if (/^run\.lock\..*\.tmp$/.test(name)) await rm(join(place, name), { force: true });
    }
}

async function writeHolder(place: string, holder: Holder): Promise<void> {
    const temporary = `${holderPath(place)}.${process.pid}.tmp`;
    await writeFile(temporary, `${JSON.stringify(holder, null, 4)}\n`);
    await rename(temporary, holderPath(place));
}

/** Of a holder that has only just begun, or died, no more than the process may be known. */
async function readHolder(place: string, pid: number): Promise<Partial<Holder>> {
    const known = Number.isInteger(pid) ? { pid } : {};
    try {
        const holder = JSON.parse(await readFile(holderPath(place), "utf8")) as Holder;
        return known.pid === undefined || holder.pid === known.pid ? holder : known;
    } catch {
        return known;
    }
}

function lockedError(directory: string, holder: Partial<Holder>, options?: ErrorOptions): PublishError {
    const who = holder.pid === undefined ? "another process" : `process ${holder.pid}`;
    const details = [
        holder.command && `\`${holder.command}\``,
        holder.runId && `run ${holder.runId}`,
        holder.since && `since ${holder.since}`,
    ].filter(Boolean);
    const described = details.length > 0 ? `${who} (${details.join(", ")})` : who;
    return new PublishError(
        "locked",
        `${directory} is in use by ${described}. Wait until it is done, or stop that process: the lock goes with it.`,
        options,
    );
}

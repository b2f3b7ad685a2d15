import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../is-alive.ts";
import { registerLeftovers } from "../leftovers.ts";

/**
 * A directory of its own for one open database: two that shared one would delete each other's files. DuckDB
 * makes it when it first spills. What dead processes left beside it is removed.
 */
export async function withSpillDirectory<T>(
    parent: string,
    callback: (directory: string) => Promise<T>,
): Promise<T> {
    await mkdir(parent, { recursive: true });
    await removeDead(parent);
    const directory = join(parent, `${process.pid}-${randomBytes(4).toString("hex")}`);
    inUse.add(directory);
    const forget = registerLeftovers(directory);
    try {
        return await callback(directory);
    } finally {
        inUse.delete(directory);
        await rm(directory, { recursive: true, force: true });
        forget();
    }
}

const inUse = new Set<string>();

async function removeDead(parent: string): Promise<void> {
    const names = await readdir(parent).catch(() => [] as string[]);
    for (const name of names) {
        const pid = Number(/^(\d+)-[0-9a-f]{8}$/.exec(name)?.[1]);
        const directory = join(parent, name);
        // In containers process numbers repeat, so our own number may be a predecessor's.
        const dead = pid === process.pid ? !inUse.has(directory) : Number.isInteger(pid) && !isAlive(pid);
        if (dead) await rm(directory, { recursive: true, force: true });
    }
}

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

const prefix = "extract-";

/** A folder for files in transit, removed afterwards; those of extractions that were killed are removed first. */
export async function withSpillFolder<T>(
    spillDirectory: string,
    callback: (folder: string) => Promise<T>,
): Promise<T> {
    await mkdir(spillDirectory, { recursive: true });
    for (const name of await readdir(spillDirectory)) {
        if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length).split("-")[0]))) continue;
        await rm(join(spillDirectory, name), { recursive: true, force: true });
    }
    const folder = join(spillDirectory, `${prefix}${process.pid}-${Date.now().toString(36)}`);
    await mkdir(folder, { recursive: true });
    try {
        return await callback(folder);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

function isAlive(pid: number): boolean {
    // Of this very process there is one extraction at a time: what is left is from before a restart of its container.
    if (pid === process.pid || !Number.isInteger(pid) || pid <= 0) return false;
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

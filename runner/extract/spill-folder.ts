import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../is-alive.ts";
import { registerLeftovers } from "../leftovers.ts";

const prefix = "extract-";

/** A folder for files in transit, removed afterwards; those of extractions that were killed are removed first. */
export async function withSpillFolder<T>(
    spillDirectory: string,
    callback: (folder: string) => Promise<T>,
): Promise<T> {
    await mkdir(spillDirectory, { recursive: true });
    for (const name of await readdir(spillDirectory)) {
        if (!name.startsWith(prefix) || isInUse(Number(name.slice(prefix.length).split("-")[0]))) continue;
        await rm(join(spillDirectory, name), { recursive: true, force: true });
    }
    const folder = join(spillDirectory, `${prefix}${process.pid}-${Date.now().toString(36)}`);
    await mkdir(folder, { recursive: true });
    const forget = registerLeftovers(folder);
    try {
        return await callback(folder);
    } finally {
        await rm(folder, { recursive: true, force: true });
        forget();
    }
}

/** Of this very process there is one extraction at a time: what is left is from before a restart of its container. */
function isInUse(pid: number): boolean {
    return pid !== process.pid && Number.isInteger(pid) && pid > 0 && isAlive(pid);
}

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "./process.ts";

const persistent = "persistent";

/** One file per use, named by the process, so that the last to leave turns off the light. */
export async function registerUser(place: string, isPersistent: boolean): Promise<string> {
    const users = join(place, "users");
    await mkdir(users, { recursive: true });
    const file = join(users, isPersistent ? persistent : `${process.pid}-${randomBytes(3).toString("hex")}`);
    await writeFile(file, "");
    return file;
}

export async function isUsed(place: string): Promise<boolean> {
    const users = join(place, "users");
    let used = false;
    for (const name of await readdir(users).catch(() => [])) {
        if (name === persistent || isAlive(Number(name.split("-")[0]))) used = true;
        else await rm(join(users, name), { force: true });
    }
    return used;
}

/** A server that was to outlive its process did not: its successor ends with those who use it. */
export async function forgetPersistence(place: string): Promise<void> {
    await rm(join(place, "users", persistent), { force: true });
}

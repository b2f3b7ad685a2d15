import { createHash } from "node:crypto";
import {
    access,
    chmod,
    constants,
    lstat,
    mkdir,
    readdir,
    readFile,
    rm,
    stat,
    writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../../runner/errors.ts";
import type { Account } from "./account.ts";
import { stopPostmaster } from "./process.ts";
import { isUsed } from "./users.ts";

/** File in a substitute place that names the folder it stands for. */
const standsFor = "stands-for";

/** Our folder under the system's temporary one: for what cannot stand where it was asked for. */
export async function temporaryPlace(...names: readonly string[]): Promise<string> {
    const uid = process.getuid?.() ?? 0;
    const base = temporaryBase();
    // As root the server's account has to pass through, but not to list.
    await mkdir(base, { mode: uid === 0 ? 0o711 : 0o700 }).catch(ignore("EEXIST"));
    const found = await lstat(base);
    if (!found.isDirectory() || (process.getuid && found.uid !== uid) || (found.mode & 0o022) !== 0) {
        throw new ConfigError(
            `${base} exists but is not a folder that only this user can write. Remove it or set TMPDIR to another place.`,
        );
    }
    const place = join(base, ...names);
    await mkdir(place, { recursive: true, mode: 0o711 });
    return place;
}

/**
 * Where the cluster of a wanted folder really stands: there, or, when the server's account could not
 * reach it, in a folder under the temporary one that the wanted path determines.
 */
export async function clusterPlace(
    wanted: string,
    account: Account | undefined,
    note: (message: string) => void,
): Promise<string> {
    const folder = resolve(wanted);
    const reason = await unusable(folder, account);
    if (reason === undefined) return folder;
    await sweepPlaces();
    const place = await temporaryPlace("clusters", keyOf(folder));
    await writeFile(join(place, standsFor), folder);
    note(`${folder}: ${reason}, so the sandbox's data stand in ${place}`);
    return place;
}

/** Removes what stands for folders that are gone: nobody will ask for it again. */
async function sweepPlaces(): Promise<void> {
    const clusters = await temporaryPlace("clusters");
    for (const name of await readdir(clusters)) {
        const place = join(clusters, name);
        const folder = await readFile(join(place, standsFor), "utf8").catch(() => undefined);
        if (folder === undefined || (await stat(folder).catch(() => undefined)) !== undefined) continue;
        if (await isUsed(place)) continue;
        await stopPostmaster(join(place, "cluster", "data"));
        await rm(place, { recursive: true, force: true });
    }
}

/** Every place where the cluster of a wanted folder may stand; none of them is made. */
export function possiblePlaces(wanted: string): readonly string[] {
    return [resolve(wanted), join(temporaryBase(), "clusters", keyOf(wanted))];
}

function keyOf(wanted: string): string {
    return createHash("sha256").update(resolve(wanted)).digest("hex").slice(0, 16);
}

function temporaryBase(): string {
    return join(tmpdir(), `racealpha-sandbox-${process.getuid?.() ?? 0}`);
}

async function unusable(folder: string, account: Account | undefined): Promise<string | undefined> {
    try {
        await mkdir(folder, { recursive: true });
        await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
        return `this user cannot write there (${(error as NodeJS.ErrnoException).code})`;
    }
    if (account === undefined) return undefined;
    // mkdir honours the umask, and a folder of root's with 700 shuts the server's account out.
    await chmod(folder, 0o711).catch(() => undefined);
    const closed = await closedParent(folder, account);
    return closed && `the server runs as ${account.name}, who may not enter ${closed}`;
}

/** The first folder on the way to `path` that the account may not enter. */
async function closedParent(path: string, { uid, gid }: Account): Promise<string | undefined> {
    for (let folder = path; ; folder = dirname(folder)) {
        const { mode, uid: owner, gid: group } = await stat(folder);
        const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
        if ((mode & bit) === 0) return folder;
        if (dirname(folder) === folder) return undefined;
    }
}

function ignore(code: string): (error: NodeJS.ErrnoException) => void {
    return (error) => {
        if (error.code !== code) throw error;
    };
}

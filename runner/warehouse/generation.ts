import { constants, existsSync } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "../errors.ts";
import { registerLeftovers } from "../leftovers.ts";
import { isMemoryShort } from "../project/memory-limit.ts";
import type { WarehouseSettings } from "../project/project.ts";
import type { Warehouse } from "./types.ts";
import { withWarehouse } from "./warehouse.ts";

export interface GenerationOptions {
    readonly runId: string;
    /** `last-good`: starts as a copy of the last good warehouse, for runs of a part of the models. */
    readonly start: "empty" | "last-good";
    /** Comes before the callback; where memory is short, in an opening of the file of its own. */
    readonly build?: (warehouse: Warehouse) => Promise<void>;
}

export interface GenerationOutcome<T> {
    /** Move the file over the last good one. Otherwise it is kept beside it, to be looked at. */
    readonly promote: boolean;
    readonly result: T;
}

/**
 * Runs the callback on a new warehouse file, which takes the place of the last good one when the callback
 * says so. A callback that throws, or a process that dies, leaves the last good one as it is. The caller holds
 * the lock on the directory.
 */
export async function withGeneration<T>(
    settings: WarehouseSettings,
    options: GenerationOptions,
    callback: (warehouse: Warehouse) => Promise<GenerationOutcome<T>>,
): Promise<T> {
    const { path } = settings;
    await mkdir(dirname(path), { recursive: true });
    await removeStaleGenerations(path);
    // Its disk space is needed now.
    await removeDatabase(failedPath(path));
    const file = `${stem(path)}.${options.runId}.duckdb`;
    const forget = registerLeftovers(file, `${file}.wal`);
    try {
        if (options.start === "last-good") await copyLastGood(path, file);
        const { build } = options;
        // Of what it has written DuckDB keeps more than it counts: of 55 tables with 2.5 million rows 150 MB, which an
        // opening anew does not have. With more memory it is not worth reading everything again.
        const isShort = isMemoryShort(settings.memoryLimit);
        if (build && isShort) await withWarehouse(file, settings, build);
        const { promote, result } = await withWarehouse(file, settings, async (warehouse) => {
            if (build && !isShort) await build(warehouse);
            const outcome = await callback(warehouse);
            // A full disk may be why it failed; then this would hide it.
            if (outcome.promote) await warehouse.execute("checkpoint");
            return outcome;
        });
        if (promote) await replaceFile(file, path);
        else await moveDatabase(file, failedPath(path));
        return result;
    } finally {
        await removeDatabase(file);
        forget();
    }
}

/** Where a warehouse whose models or tests failed is kept until the next run: for the author to look at. */
export function failedPath(path: string): string {
    return `${stem(path)}.failed.duckdb`;
}

function stem(path: string): string {
    return path.endsWith(".duckdb") ? path.slice(0, -".duckdb".length) : path;
}

/** Files of runs that died. Under the directory's lock no other run can be alive. */
async function removeStaleGenerations(path: string): Promise<readonly string[]> {
    const prefix = `${basename(stem(path))}.`;
    const names = await readdir(dirname(path)).catch(() => [] as string[]);
    const stale = names.filter(
        (name) =>
            name.startsWith(prefix) &&
            /^[^.]+\.duckdb(\..+)?$/.test(name.slice(prefix.length)) &&
            join(dirname(path), name) !== failedPath(path),
    );
    for (const name of stale) await rm(join(dirname(path), name), { recursive: true, force: true });
    return stale;
}

async function copyLastGood(path: string, file: string): Promise<void> {
    if (!existsSync(path)) {
        throw new ConfigError(
            `${path} does not exist: there is no last good warehouse to start from. Run \`rebuild run\` without --select first.`,
        );
    }
    // A clone costs nothing where the file system can share blocks; elsewhere it is a copy.
    await copyFile(path, file, constants.COPYFILE_FICLONE);
    // Left by a tool that wrote into it and died: what it says belongs to the file.
    if (existsSync(`${path}.wal`)) await copyFile(`${path}.wal`, `${file}.wal`);
}

/** The file is closed and has no .wal; after the rename is on disk, readers find the one or the other. */
async function replaceFile(file: string, target: string): Promise<void> {
    if (existsSync(`${file}.wal`)) {
        throw new Error(`${file}.wal is still there after closing; the warehouse was not moved to ${target}`);
    }
    await syncPath(file);
    // A log of the file before would be replayed over the new one.
    await rm(`${target}.wal`, { force: true });
    await rename(file, target);
    await syncPath(dirname(target));
}

async function syncPath(path: string): Promise<void> {
    const handle = await open(path, "r");
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

async function moveDatabase(file: string, target: string): Promise<void> {
    await removeDatabase(target);
    if (existsSync(`${file}.wal`)) await rename(`${file}.wal`, `${target}.wal`);
    await rename(file, target);
}

async function removeDatabase(file: string): Promise<void> {
    for (const path of [file, `${file}.wal`]) await rm(path, { force: true });
}

import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createGunzip } from "node:zlib";
import { ConfigError } from "../../runner/errors.ts";
import { quoteName } from "../../runner/names.ts";
import type { PostgresClient } from "../../runner/postgres/connect.ts";
import { type CopyStream, openCopy } from "../../runner/postgres/copy-stream.ts";
import { completeTable, createLoadingTables, loadingSchema, takePlace, withLoadingLock } from "./schema.ts";
import { type SourceTable, sourceTables } from "./tables.ts";

/** Header lines beyond this are none. */
const longestHeader = 64 * 1024;

export interface LoadFolderOptions {
    readonly note?: (message: string) => void;
    readonly signal?: AbortSignal;
}

/**
 * Puts CSV files of the source tables' contract (races.csv, race_results.csv, sectional_times.csv, each
 * perhaps .gz, with a header) in the place of the simulated world. Columns may be missing, then they are
 * empty. Durations are seconds or anything that Postgres reads as an interval.
 */
export async function loadFolder(
    url: string,
    folder: string,
    { note = () => undefined, signal }: LoadFolderOptions = {},
): Promise<void> {
    const path = resolve(folder);
    const files = await findFiles(path);
    await withLoadingLock({ url, signal }, async (client) => {
        await createLoadingTables(client);
        for (const { table, file } of files) {
            const started = performance.now();
            const rows = await loadFile(client, table, file, signal);
            await completeTable(client, table);
            const seconds = ((performance.now() - started) / 1000).toFixed(1);
            note(`loaded ${rows.toLocaleString("en-US")} rows of ${table.name} from ${file} in ${seconds}s`);
        }
        await takePlace(client, { kind: "folder", folder: path });
    });
}

async function findFiles(
    folder: string,
): Promise<readonly { readonly table: SourceTable; readonly file: string }[]> {
    const names = await readdir(folder).catch((cause) => {
        throw new ConfigError(
            `${folder}: no such folder, or not readable. Give the folder with the CSV files.`,
            { cause },
        );
    });
    const missing: { readonly message: string }[] = [];
    const files = sourceTables.map((table) => {
        const name = [`${table.name}.csv.gz`, `${table.name}.csv`].find((wanted) => names.includes(wanted));
        if (name === undefined) {
            missing.push({
                message: `${folder}: neither ${table.name}.csv nor ${table.name}.csv.gz is there, found ${names.slice(0, 10).join(", ") || "nothing"}`,
            });
        }
        return { table, file: join(folder, name ?? "") };
    });
    if (missing.length > 0) throw new ConfigError(missing);
    return files;
}

async function loadFile(
    client: PostgresClient,
    table: SourceTable,
    file: string,
    signal: AbortSignal | undefined,
): Promise<number> {
    const source = createReadStream(file);
    const text = file.endsWith(".gz") ? source.pipe(createGunzip()) : source;
    source.once("error", (error) => text.destroy(error));
    let copy: CopyStream | undefined;
    let begun = Buffer.alloc(0);
    try {
        for await (const piece of text as AsyncIterable<Buffer>) {
            signal?.throwIfAborted();
            if (copy) {
                await copy.write(piece);
                continue;
            }
            begun = Buffer.concat([begun, piece]);
            const end = begun.indexOf(0x0a);
            if (end < 0 && begun.length < longestHeader) continue;
            copy = await openCopy(client, copyStatement(table, file, readHeader(begun, end)));
            await copy.write(begun);
        }
        if (copy === undefined)
            throw new ConfigError([{ file, message: "no header line: the file is empty" }]);
        return await copy.end();
    } catch (error) {
        await copy?.abort();
        throw error;
    } finally {
        source.destroy();
    }
}

function readHeader(begun: Buffer, end: number): readonly string[] {
    return begun
        .toString("utf8", 0, end < 0 ? begun.length : end)
        .replace(/^\uFEFF/, "")
        .trim()
        .split(",")
        .map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
}

function copyStatement(table: SourceTable, file: string, header: readonly string[]): string {
    const known = new Map(table.columns);
    const unknown = header.filter((name) => !known.has(name));
    const missing = table.columns.filter(
        ([name, type]) => type.includes("not null") && !header.includes(name),
    );
    if (unknown.length > 0 || missing.length > 0) {
        throw new ConfigError([
            ...unknown.map((name) => ({
                file,
                line: 1,
                message: `column "${name}" is not one of ${table.name}: ${[...known.keys()].slice(0, 20).join(", ")}${known.size > 20 ? ", ..." : ""}`,
            })),
            ...missing.map(([name]) => ({
                file,
                line: 1,
                message: `column "${name}" of ${table.name} is missing`,
            })),
        ]);
    }
    const columns = header.map(quoteName).join(", ");
    return `copy ${loadingSchema}.${table.name} (${columns}) from stdin with (format csv, header true)`;
}

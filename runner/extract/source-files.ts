import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type Problem } from "../errors.ts";
import { nearestNames, quoteText } from "../names.ts";
import type { Source } from "../project/project.ts";
import type { ColumnType } from "../warehouse/types.ts";

/** A file that holds rows of a source. */
export interface SourceFile {
    readonly path: string;
    readonly format: "csv" | "parquet";
    readonly bytes: number;
    readonly modifiedAt: Date;
}

const endings = [".csv", ".csv.gz", ".parquet"] as const;

/**
 * The files of each source: `<identifier>.csv`, `.csv.gz`, `.parquet`, or a folder of such parts. All problems at once.
 */
export async function findSourceFiles(
    folder: string,
    sources: readonly Source[],
): Promise<ReadonlyMap<Source, readonly SourceFile[]>> {
    const entries = await readFolder(folder);
    const problems: Problem[] = [];
    const files = new Map<Source, readonly SourceFile[]>();
    for (const source of sources) {
        const candidates = [source.identifier, ...endings.map((ending) => `${source.identifier}${ending}`)];
        const found = entries.filter(({ name }) => candidates.includes(name));
        const problem = (message: string) =>
            problems.push({ file: source.file, key: `sources.${source.name}`, message });
        if (found.length > 1) {
            const names = found.map(({ name }) => name).join(" and ");
            problem(`${folder} holds ${names}: which one is meant? Leave one of them there.`);
        } else if (!found[0]) {
            problem(describeMissingFile(source, folder, entries));
        } else {
            const parts = await readParts(folder, found[0]);
            if (parts.length === 0) {
                problem(`the folder ${join(folder, found[0].name)} holds no ${endings.join(", ")} files.`);
            }
            files.set(source, parts);
        }
    }
    if (problems.length > 0) throw new ConfigError(problems);
    return files;
}

async function readFolder(folder: string): Promise<readonly Dirent[]> {
    try {
        return await readdir(folder, { withFileTypes: true });
    } catch (cause) {
        const reason = (cause as NodeJS.ErrnoException).code;
        throw new ConfigError(
            `The folder of source files, ${folder}, cannot be read (${reason}). Set path: of the source connection.`,
            { cause },
        );
    }
}

async function readParts(folder: string, entry: Dirent): Promise<readonly SourceFile[]> {
    const path = join(folder, entry.name);
    const found = await stat(path);
    if (!found.isDirectory()) return [describeFile(path, found)];
    const names = (await readdir(path)).filter((name) => endings.some((ending) => name.endsWith(ending)));
    return Promise.all(
        names.sort().map(async (name) => describeFile(join(path, name), await stat(join(path, name)))),
    );
}

function describeFile(
    path: string,
    { size, mtime }: { readonly size: number; readonly mtime: Date },
): SourceFile {
    return { path, format: path.endsWith(".parquet") ? "parquet" : "csv", bytes: size, modifiedAt: mtime };
}

function describeMissingFile(source: Source, folder: string, entries: readonly Dirent[]): string {
    const names = entries.map(({ name }) => name);
    const near = nearestNames(source.identifier, new Set(names.map((name) => name.split(".")[0]!)));
    return [
        `${folder} has no ${endings.map((ending) => `${source.identifier}${ending}`).join(", ")}, and no folder ${source.identifier}.`,
        near.length > 0 && `Did you mean ${near.join(", ")}? Set identifier: then.`,
        names.length > 0 ? `Found: ${names.sort().slice(0, 20).join(", ")}.` : "It is empty.",
    ]
        .filter(Boolean)
        .join(" ");
}

/**
 * DuckDB's reader for a file with these columns. In CSV every field is text; an empty field is NULL, a quoted
 * empty one the empty text. `inOrder`: rows come as they stand in the file.
 */
export function readFunction(
    { path, format }: SourceFile,
    columns: readonly ColumnType[],
    options: { readonly inOrder?: boolean } = {},
): string {
    const file = quoteText(escapeGlob(path));
    if (format === "parquet") {
        return `read_parquet(${file}${options.inOrder ? ", file_row_number = true" : ""})`;
    }
    const types = columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(", ");
    return (
        `read_csv(${file}, auto_detect = false, header = true, columns = {${types}}, delim = ',', quote = '"', escape = '"', ` +
        `nullstr = '', allow_quoted_nulls = false${options.inOrder ? ", parallel = false" : ""})`
    );
}

/** A path is a pattern to DuckDB. */
function escapeGlob(path: string): string {
    return path.replace(/[[*?]/g, (letter) => `[${letter}]`);
}

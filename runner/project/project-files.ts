import { readFile } from "node:fs/promises";
import path from "node:path";
import glob from "fast-glob";

/** A file of the project as text: its path relative to the root with forward slashes, line ends as `\n`. */
export interface TextFile {
    readonly file: string;
    readonly text: string;
}

export interface ProjectFiles {
    readonly models: readonly TextFile[];
    readonly modelYml: readonly TextFile[];
    readonly macros: readonly TextFile[];
    /** Seeds are read by the warehouse: only their paths. */
    readonly seeds: readonly string[];
    readonly seedYml: readonly TextFile[];
    readonly assertions: readonly TextFile[];
    /** Folders under models/ and seeds/, such as `models/features`. */
    readonly folders: readonly string[];
}

/** Everything that the project's folders hold, sorted by path so that nothing depends on the file system's order. */
export async function readProjectFiles(root: string): Promise<ProjectFiles> {
    const [models, modelYml, macros, seeds, seedYml, assertions, folders] = await Promise.all([
        readAll(root, ["models/**/*.{sql,ts}", "!models/**/*.d.ts"]),
        readAll(root, ["models/**/*.{yml,yaml}"]),
        readAll(root, ["macros/**/*.{hbs,sql}"]),
        list(root, ["seeds/**/*.csv"]),
        readAll(root, ["seeds/**/*.{yml,yaml}"]),
        readAll(root, ["tests/assertions/**/*.sql"]),
        glob(["models/**", "seeds/**"], { cwd: root, onlyDirectories: true }),
    ]);
    return { models, modelYml, macros, seeds, seedYml, assertions, folders: folders.sort() };
}

/** The file's text, or `undefined` when there is none. */
export async function readText(root: string, file: string): Promise<TextFile | undefined> {
    try {
        const raw = await readFile(path.join(root, file), "utf8");
        return { file, text: raw.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n") };
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
}

/** `models/features/career.sql` → `career`; a seed may be `tracks.csv`. */
export function nameOf(file: string): string {
    return path.posix.basename(file).replace(/\.[^.]+$/, "");
}

/** `models/features/career.sql` under `models` → `features`. */
export function folderOf(file: string): string {
    return path.posix.dirname(file).split("/").slice(1).join("/");
}

async function list(root: string, patterns: readonly string[]): Promise<readonly string[]> {
    return (await glob([...patterns], { cwd: root, onlyFiles: true })).sort();
}

async function readAll(root: string, patterns: readonly string[]): Promise<readonly TextFile[]> {
    const files = await list(root, patterns);
    const texts = await Promise.all(files.map((file) => readText(root, file)));
    return texts.filter((text) => text !== undefined);
}

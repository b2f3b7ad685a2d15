import { ConfigError, type Problem } from "../errors.ts";
import { suggest } from "./check-shape.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { loadTarget } from "./load-target.ts";
import type { Project, VarValue } from "./project.ts";
import { nameOf, type ProjectFiles, readProjectFiles, readText, type TextFile } from "./project-files.ts";
import { readModels } from "./read-models.ts";
import { readSources } from "./read-sources.ts";
import { type Folder, readRebuildFile } from "./rebuild-file.ts";
import { parseYaml, type YamlDocument } from "./yaml-file.ts";

export interface LoadOptions {
    /** Folder that holds rebuild.yml. */
    readonly root: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    /** `--target` */
    readonly target?: string | undefined;
    /** `--vars`, laid over those of rebuild.yml. */
    readonly vars?: Readonly<Record<string, VarValue>> | undefined;
    /** The target of a command that has one of its own; REBUILD_TARGET and `--target` beat it. */
    readonly defaultTarget?: string | undefined;
    /** Waited for between two files. Default: nothing. */
    readonly pause?: () => Promise<void>;
}

/**
 * Reads and checks everything on disk. Throws a ConfigError with every problem of every file; a project
 * that is returned can be compiled without touching the disk again.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
    const { root, pause = async () => undefined } = options;
    const problems: Problem[] = [];
    const [profiles, rebuild, files] = await Promise.all([
        readSettings(root, "profiles.yml", problems),
        readSettings(root, "rebuild.yml", problems),
        readProjectFiles(root),
    ]);
    const target = profiles && loadTarget(profiles, options, problems);
    const settings = rebuild && readRebuildFile(rebuild, foldersOf(files), problems);
    if (rebuild && settings) checkVars(options.vars ?? {}, settings.vars, problems);
    const parseAll = async (texts: readonly TextFile[]) => {
        const documents: YamlDocument[] = [];
        for (const { file, text } of texts) {
            documents.push(...parseYaml(file, text, problems));
            await pause();
        }
        return documents;
    };
    const modelYml = await parseAll(files.modelYml);
    const seedYml = await parseAll(files.seedYml);
    const sources = readSources(
        modelYml.filter((document) => hasKey(document, "sources")),
        problems,
    );
    const none: readonly Folder[] = [];
    const { models, seeds } = await readModels({
        root,
        files,
        modelYml: modelYml.filter((document) => !hasKey(document, "sources")),
        seedYml,
        modelFolders: settings?.modelFolders ?? none,
        seedFolders: settings?.seedFolders ?? none,
        problems,
        pause,
    });
    if (problems.length > 0 || !target || !settings) throw new ConfigError(sortProblems(problems));
    return deepFreeze({
        root,
        name: settings.name,
        target,
        vars: { ...settings.vars, ...options.vars },
        lint: settings.lint,
        ...(settings.phases && { phases: settings.phases }),
        serve: settings.serve,
        audit: settings.audit,
        sources,
        models,
        seeds,
        assertions: files.assertions.map((file) => ({ name: nameOf(file.file), ...file })),
        macros: files.macros.map((file) => ({
            name: nameOf(file.file),
            kind: file.file.endsWith(".hbs") ? ("partial" as const) : ("duckdb" as const),
            ...file,
        })),
        env: { ...options.env },
    });
}

async function readSettings(
    root: string,
    file: string,
    problems: Problem[],
): Promise<YamlDocument | undefined> {
    const text = await readText(root, file);
    if (!text) {
        problems.push({
            file,
            message: `not found in ${root}; run in the folder of the project, or pass --project-dir`,
        });
        return undefined;
    }
    const before = problems.length;
    const documents = parseYaml(file, text.text, problems);
    if (problems.length === before && documents.length !== 1) {
        problems.push({ file, message: documents.length === 0 ? "is empty" : "must hold one YAML document" });
    }
    return documents.length === 1 ? documents[0] : undefined;
}

/** A misspelt `--vars` would otherwise change nothing, silently. */
function checkVars(
    given: Readonly<Record<string, VarValue>>,
    declared: Readonly<Record<string, VarValue>>,
    problems: Problem[],
): void {
    for (const name of Object.keys(given)) {
        if (Object.hasOwn(declared, name)) continue;
        problems.push({
            message: `--vars sets ${name}, which is not among the vars of rebuild.yml; ${suggest(name, Object.keys(declared), "they are")}`,
        });
    }
}

function hasKey({ value }: YamlDocument, key: string): boolean {
    return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function foldersOf({ folders }: ProjectFiles) {
    const below = (top: string) =>
        new Set(folders.filter((folder) => folder.startsWith(top)).map((folder) => folder.slice(top.length)));
    return { models: below("models/"), seeds: below("seeds/") };
}

function sortProblems(problems: readonly Problem[]): readonly Problem[] {
    return [...problems].sort(
        (one, other) =>
            (one.file ?? "").localeCompare(other.file ?? "") ||
            (one.line ?? 0) - (other.line ?? 0) ||
            (one.column ?? 0) - (other.column ?? 0),
    );
}

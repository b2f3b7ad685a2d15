import { ConfigError, type Problem } from "../errors.ts";
import { checkShape, suggest } from "./check-shape.ts";
import { normalizeType } from "./column-types.ts";
import { findTypeScriptModel } from "./load-typescript-model.ts";
import { buildConfig, type ConfigDocument } from "./model-config.ts";
import { rawModelSchema, rawSeedSchema } from "./model-schema.ts";
import type { ModelFile, Seed } from "./project.ts";
import { folderOf, nameOf, type ProjectFiles, type TextFile } from "./project-files.ts";
import { defaultsFor, type Folder } from "./rebuild-file.ts";
import { problemAt, type YamlDocument } from "./yaml-file.ts";

export interface ModelSources {
    readonly root: string;
    readonly files: ProjectFiles;
    readonly modelYml: readonly YamlDocument[];
    readonly seedYml: readonly YamlDocument[];
    readonly modelFolders: readonly Folder[];
    readonly seedFolders: readonly Folder[];
    readonly problems: Problem[];
    /** Waited for between two documents. */
    readonly pause: () => Promise<void>;
}

const namePattern = /^[a-z_][a-z0-9_]*$/;

/** Models and seeds with their configuration: file, yml and folder brought together. */
export async function readModels(from: ModelSources): Promise<{
    readonly models: readonly ModelFile[];
    readonly seeds: readonly Seed[];
}> {
    const { files, problems } = from;
    const modelYml = await readConfigs("model", from.modelYml, from);
    const seedYml = await readConfigs("seed", from.seedYml, from);
    const loaded = await Promise.all(files.models.map((file) => readModel(file, modelYml, from)));
    const models = loaded.filter((model) => model !== undefined);
    const seeds = files.seeds.map((file): Seed => {
        const name = nameOf(file);
        const folder = defaultsFor(from.seedFolders, folderOf(file));
        return { name, file, config: buildConfig(seedYml.get(name), folder, problems) };
    });
    checkNames(
        [...models, ...seeds, ...files.assertions.map(({ file }) => ({ name: nameOf(file), file }))],
        problems,
    );
    checkOwners(modelYml, models, "model", problems);
    checkOwners(seedYml, seeds, "seed", problems);
    const known = [...models, ...seeds].map(({ name }) => name);
    for (const config of [...modelYml.values(), ...seedYml.values()])
        checkRelationships(config, known, problems);
    return { models, seeds };
}

async function readModel(
    { file, text }: TextFile,
    yml: ReadonlyMap<string, ConfigDocument>,
    { root, modelFolders, problems }: ModelSources,
): Promise<ModelFile | undefined> {
    const name = nameOf(file);
    const isScript = file.endsWith(".ts");
    const script = isScript ? await tryLoad(root, file, problems) : undefined;
    if (isScript && script === "module") return undefined;
    const own = yml.get(name);
    const config = buildConfig(own, defaultsFor(modelFolders, folderOf(file)), problems);
    if (script && script !== "module" && script !== "broken") {
        for (const [column, declared] of Object.entries(script.columns)) {
            const type = normalizeType(declared);
            if ("problem" in type) problems.push({ file, key: `columns.${column}`, message: type.problem });
        }
        for (const column of config.columns) {
            if (own && !Object.hasOwn(script.columns, column.name)) {
                problems.push(
                    problemAt(
                        own.document,
                        ["columns", column.name],
                        `${file} declares no such column; ${suggest(column.name, Object.keys(script.columns), "it declares")}`,
                    ),
                );
            }
        }
    }
    return {
        name,
        language: isScript ? "typescript" : "sql",
        file,
        ...(own && { configFile: own.document.file }),
        text,
        config,
        ...(script && typeof script !== "string" && { refs: script.refs }),
    };
}

async function tryLoad(root: string, file: string, problems: Problem[]) {
    try {
        return (await findTypeScriptModel(root, file)) ?? ("module" as const);
    } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        problems.push(...error.problems);
        return "broken" as const;
    }
}

/** The checked yml of each name; documents that name nothing, or a name twice, are problems. */
async function readConfigs(
    kind: "model" | "seed",
    documents: readonly YamlDocument[],
    { problems, pause }: ModelSources,
): Promise<ReadonlyMap<string, ConfigDocument>> {
    const configs = new Map<string, ConfigDocument>();
    for (const document of documents) {
        await pause();
        if (document.value === undefined) continue;
        const named = kind === "model" ? checkModel(document, problems) : checkSeed(document, problems);
        if (!named) continue;
        const { name, raw } = named;
        const earlier = configs.get(name);
        if (earlier) {
            problems.push(
                problemAt(
                    document,
                    [kind],
                    `the ${kind} ${name} is described in ${earlier.document.file} already; keep one of the two`,
                ),
            );
            continue;
        }
        configs.set(name, { raw, document });
    }
    return configs;
}

function checkModel(document: YamlDocument, problems: Problem[]) {
    const checked = checkShape(rawModelSchema, document.value, document, [], problems);
    if (!checked) return undefined;
    const { model: name, ...raw } = checked;
    return { name, raw };
}

function checkSeed(document: YamlDocument, problems: Problem[]) {
    const checked = checkShape(rawSeedSchema, document.value, document, [], problems);
    if (!checked) return undefined;
    const { seed: name, ...raw } = checked;
    return { name, raw };
}

function checkNames(
    files: readonly { readonly name: string; readonly file: string }[],
    problems: Problem[],
): void {
    const seen = new Map<string, string>();
    for (const { name, file } of files) {
        if (!namePattern.test(name)) {
            problems.push({
                file,
                message: `${name} cannot be a name: use a-z, 0-9 and _, and begin with a letter or _; rename the file`,
            });
        }
        const earlier = seen.get(name);
        if (earlier !== undefined) {
            problems.push({
                file,
                message: `the name ${name} is taken by ${earlier}; names are unique over models, seeds and assertions: rename one of the two`,
            });
        }
        seen.set(name, earlier ?? file);
    }
}

function checkOwners(
    configs: ReadonlyMap<string, ConfigDocument>,
    owners: readonly { readonly name: string }[],
    kind: "model" | "seed",
    problems: Problem[],
): void {
    const names = owners.map(({ name }) => name);
    for (const [name, { document }] of configs) {
        if (names.includes(name)) continue;
        const where =
            kind === "model"
                ? "no .sql file, and no .ts file with a default export, of this name under models/"
                : "no .csv file of this name under seeds/";
        problems.push(
            problemAt(
                document,
                [kind],
                `there is ${where}: ${name}; ${suggest(name, names, `${kind}s are`)}`,
            ),
        );
    }
}

function checkRelationships(
    { raw, document }: ConfigDocument,
    known: readonly string[],
    problems: Problem[],
): void {
    for (const [column, { tests }] of Object.entries(raw.columns ?? {})) {
        for (const [index, test] of (tests ?? []).entries()) {
            const to = test.relationships?.to;
            if (to === undefined || known.includes(to)) continue;
            problems.push(
                problemAt(
                    document,
                    ["columns", column, "tests", index, "relationships", "to"],
                    `there is no model or seed ${to}; ${suggest(to, known, "there are")}`,
                ),
            );
        }
    }
}

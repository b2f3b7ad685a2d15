import { z } from "zod";
import type { Problem } from "../errors.ts";
import { checkShape, suggest } from "./check-shape.ts";
import { type LintLevel, type LintRule, lintLevels, lintRuleNames } from "./lint-rules.ts";
import { type FolderDefaults, folderDefaultsSchema } from "./model-schema.ts";
import { phasesSchema, serveSchema } from "./operations-schema.ts";
import type { AuditSettings, PhaseRule, ServeSettings, VarValue } from "./project.ts";
import { type KeyPath, problemAt, type YamlDocument } from "./yaml-file.ts";

const varValue: z.ZodType<VarValue> = z.lazy(() =>
    z.union([
        z.string(),
        z.number(),
        z.boolean(),
        z.null(),
        z.array(varValue),
        z.record(z.string(), varValue),
    ]),
);

/** rebuild.yml; the folders under `models` and `seeds` are walked by hand, since settings and folders share a map. */
const rawRebuildSchema = z.strictObject({
    name: z.string().regex(/^[a-zA-Z][\w-]*$/, { error: "must be a name of letters, digits, _ and -" }),
    vars: z.record(z.string(), varValue).nullable().optional(),
    lint: z.partialRecord(z.enum(lintRuleNames), z.enum(lintLevels)).nullable().optional(),
    models: z.record(z.string(), z.unknown()).nullable().optional(),
    seeds: z.record(z.string(), z.unknown()).nullable().optional(),
    phases: phasesSchema.optional(),
    serve: serveSchema.optional(),
    audit: z
        .strictObject({
            days: z.number().int().min(1).optional(),
            seed: z
                .number()
                .int()
                .min(0)
                .max(2 ** 31)
                .optional(),
            history: z.union([z.number().int().min(100), z.literal("whole")]).optional(),
            off: z.string().min(1).optional(),
        })
        .nullable()
        .optional(),
});

/** Settings of one folder, its own alone. */
export interface Folder {
    /** `features/past`; empty for all. */
    readonly path: string;
    readonly settings: FolderDefaults;
}

export interface RebuildFile {
    readonly name: string;
    readonly vars: Readonly<Record<string, VarValue>>;
    readonly lint: Readonly<Partial<Record<LintRule, LintLevel>>>;
    readonly audit: AuditSettings;
    readonly modelFolders: readonly Folder[];
    readonly seedFolders: readonly Folder[];
    readonly phases?: readonly PhaseRule[];
    readonly serve: ServeSettings;
}

export interface KnownFolders {
    readonly models: ReadonlySet<string>;
    readonly seeds: ReadonlySet<string>;
}

/** rebuild.yml, checked; `folders` are those that exist, so that a misspelt one is found. */
export function readRebuildFile(
    document: YamlDocument,
    folders: KnownFolders,
    problems: Problem[],
): RebuildFile | undefined {
    const raw = checkShape(rawRebuildSchema, document.value, document, [], problems);
    if (!raw) return undefined;
    return {
        name: raw.name,
        vars: raw.vars ?? {},
        lint: raw.lint ?? {},
        ...(raw.phases && { phases: raw.phases }),
        serve: { protectReads: raw.serve?.protect_reads ?? false, schedule: raw.serve?.schedule },
        audit: {
            days: raw.audit?.days ?? 5,
            seed: raw.audit?.seed ?? 1,
            history: raw.audit?.history ?? 1500,
            ...(raw.audit?.off !== undefined && { off: raw.audit.off }),
        },
        modelFolders: walkFolders(raw.models ?? {}, "", ["models"], folders.models, document, problems),
        seedFolders: walkFolders(raw.seeds ?? {}, "", ["seeds"], folders.seeds, document, problems),
    };
}

/** Settings for a file, the outer folder first, the inner one over it; tags and grants add up. */
export function defaultsFor(folders: readonly Folder[], folder: string): FolderDefaults {
    const applying = folders
        .filter(({ path }) => path === "" || folder === path || folder.startsWith(`${path}/`))
        .sort((one, other) => one.path.length - other.path.length);
    const settings = applying.map((folder) => folder.settings);
    const schema = settings.findLast(({ publish }) => publish?.schema !== undefined)?.publish?.schema;
    const grants = settings.flatMap(({ publish }) => publish?.grant_select ?? []);
    return {
        ...Object.assign({}, ...settings),
        tags: settings.flatMap(({ tags }) => tags ?? []),
        ...((schema !== undefined || grants.length > 0) && { publish: { schema, grant_select: grants } }),
    };
}

const settingNames = Object.keys(folderDefaultsSchema.shape);

function walkFolders(
    raw: Readonly<Record<string, unknown>>,
    folder: string,
    place: KeyPath,
    existing: ReadonlySet<string>,
    document: YamlDocument,
    problems: Problem[],
): readonly Folder[] {
    const own: Record<string, unknown> = {};
    const below: Folder[] = [];
    for (const [key, value] of Object.entries(raw)) {
        // `+tags` is always a setting, for a folder that has a setting's name.
        const setting = key.startsWith("+") ? key.slice(1) : key;
        if (key.startsWith("+") || settingNames.includes(key)) {
            const found: Problem[] = [];
            checkShape(folderDefaultsSchema, { [setting]: value }, document, place, found);
            problems.push(...found.map((problem) => ({ ...problem, ...document.locate([...place, key]) })));
            if (found.length === 0) own[setting] = value;
            continue;
        }
        const path = folder === "" ? key : `${folder}/${key}`;
        const siblings = [...existing]
            .filter((known) => known.startsWith(folder === "" ? "" : `${folder}/`))
            .map((known) => known.slice(folder === "" ? 0 : folder.length + 1))
            .filter((known) => known !== "" && !known.includes("/"));
        if (!existing.has(path)) {
            problems.push(
                problemAt(
                    document,
                    [...place, key],
                    `neither a folder under ${[place[0], folder].filter(Boolean).join("/")} nor a setting; ${suggest(key, [...settingNames, ...siblings], "allowed are")}`,
                ),
            );
            continue;
        }
        if (value === null) continue;
        if (typeof value !== "object" || Array.isArray(value)) {
            problems.push(
                problemAt(
                    document,
                    [...place, key],
                    `must be a map of settings and folders; settings are ${settingNames.join(", ")}`,
                ),
            );
            continue;
        }
        below.push(
            ...walkFolders(
                value as Record<string, unknown>,
                path,
                [...place, key],
                existing,
                document,
                problems,
            ),
        );
    }
    return [{ path: folder, settings: folderDefaultsSchema.parse(own) }, ...below];
}

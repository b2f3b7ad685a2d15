import path from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { ConfigError, type Problem } from "../errors.ts";
import type { TypeScriptModel } from "../model.ts";

const exported = z.looseObject({
    refs: z.array(z.string()),
    columns: z.record(z.string(), z.string()),
    run: z.custom<TypeScriptModel["run"]>((value) => typeof value === "function", "must be a function"),
});

/**
 * The model that a TypeScript file exports by default. A file without a default export is a module that
 * models share: `undefined`. The module stays in Node's cache, so a second call costs nothing.
 */
export async function findTypeScriptModel(root: string, file: string): Promise<TypeScriptModel | undefined> {
    const module = await importFile(root, file);
    if (!("default" in module)) return undefined;
    const checked = exported.safeParse(module.default);
    if (!checked.success) {
        throw new ConfigError(
            checked.error.issues.map((issue) => ({
                file,
                key: ["default", ...issue.path.map(String)].join("."),
                message: `the default export is not a model (${issue.message}); write \`export default defineModel({ refs, columns, run })\``,
            })),
        );
    }
    if (Object.keys(checked.data.columns).length === 0) {
        throw new ConfigError([
            { file, key: "default.columns", message: "a model needs at least one column" },
        ]);
    }
    return module.default as TypeScriptModel;
}

/** As above, for a file that is known to be a model. */
export async function loadTypeScriptModel(root: string, file: string): Promise<TypeScriptModel> {
    const model = await findTypeScriptModel(root, file);
    if (model) return model;
    throw new ConfigError([
        { file, message: "has no default export; write `export default defineModel({ ... })`" },
    ]);
}

async function importFile(root: string, file: string): Promise<Record<string, unknown>> {
    try {
        return (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
    } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new ConfigError([describeImportError(root, file, message)], { cause });
    }
}

/** tsx says `Transform failed with 1 error:` and below it `/path/model.ts:3:7: ERROR: Expected ";"`. */
function describeImportError(root: string, file: string, message: string): Problem {
    const syntax = /^(?:.*?)([^\s:]+):(\d+):(\d+): ERROR: (.*)$/m.exec(message);
    if (!syntax)
        return { file, message: `cannot be loaded: ${message.split("\n")[0]!.replaceAll(`${root}/`, "")}` };
    const [, where, line, column, what] = syntax;
    // The file itself, or one that it imports.
    const broken = path.relative(root, where!).split(path.sep).join("/");
    return {
        file: broken,
        line: Number(line),
        column: Number(column) + 1,
        message: `cannot be loaded: ${what}`,
    };
}

import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Project } from "../../runner/project/project.ts";
import { replaceAll } from "./combine-variants.ts";
import type { Variant } from "./mutant.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Changed TypeScript models, as files that can be loaded, for as long as the tests run. */
export interface ScriptFolder {
    /** Relative to the root of the project. */
    readonly folder: string;
    /** A TypeScript model under another name that reads relations by other names; returns its file. */
    wrap(name: string, file: string, renamed: ReadonlyMap<string, string>): Promise<string>;
}

/** Within the project, since only there vitest transforms TypeScript. */
export async function withScriptFolder<T>(callback: (scripts: ScriptFolder) => Promise<T>): Promise<T> {
    await mkdir(path.join(root, "target"), { recursive: true });
    const absolute = await mkdtemp(path.join(root, "target/variants-"));
    const folder = path.relative(root, absolute);
    try {
        return await callback({
            folder,
            async wrap(name, file, renamed) {
                const wrapped = path.join(folder, `${name}.ts`);
                const model = `./${path.relative(folder, file)}`;
                await writeFile(
                    path.join(root, wrapped),
                    `import model from ${JSON.stringify(model)};
                    const renamed = new Map(${JSON.stringify([...renamed])});
                    const nameOf = (ref) => renamed.get(ref) ?? ref;
                    export default {
                        ...model,
                        refs: model.refs.map(nameOf),
                        run: (context) => model.run({ ...context, ref: (name) => context.ref(nameOf(name)) }),
                    };`,
                );
                return wrapped;
            },
        });
    } finally {
        await rm(absolute, { recursive: true, force: true });
    }
}

/** A copy of the TypeScript models with the variant's text: their files by name, where one of theirs is changed. */
export async function changedModules(
    { models }: Project,
    { name, file, replace }: Variant,
    { folder }: ScriptFolder,
): Promise<ReadonlyMap<string, string>> {
    if (!file.endsWith(".ts")) return new Map();
    const copy = path.join(folder, name);
    for (const part of ["models/ratings", "macros"])
        await cp(path.join(root, part), path.join(root, copy, part), { recursive: true });
    await symlink(path.join(root, "runner"), path.join(root, copy, "runner"));
    const text = await readFile(path.join(root, file), "utf8");
    await writeFile(path.join(root, copy, file), replaceAll(text, replace, `${name}: ${file}`));
    const scripts = models.filter(({ language }) => language === "typescript");
    return new Map(scripts.map((model) => [model.name, path.join(copy, model.file)]));
}

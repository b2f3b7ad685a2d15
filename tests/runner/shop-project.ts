import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileProject } from "../../runner/compile/compile-project.ts";
import type { CompiledProject } from "../../runner/compile/compiled.ts";
import type { Problem } from "../../runner/errors.ts";
import { type LoadOptions, loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";

export const shopRoot = fileURLToPath(new URL("../fixtures/shop", import.meta.url));

/** Files to write over the shop's, by path; null takes one out. */
export type Changes = Readonly<Record<string, string | null>>;

/**
 * A copy of the shop with some files changed. Its TypeScript model stays at home: it imports the runner by a relative
 * path.
 */
export async function withShop<T>(changes: Changes, use: (root: string) => Promise<T>): Promise<T> {
    const root = await mkdtemp(path.join(tmpdir(), "shop-"));
    try {
        await cp(shopRoot, root, { recursive: true });
        await rm(path.join(root, "models/ratings"), { recursive: true });
        for (const [file, text] of Object.entries(changes)) {
            const full = path.join(root, file);
            if (text === null) await rm(full);
            else {
                await mkdir(path.dirname(full), { recursive: true });
                await writeFile(full, text);
            }
        }
        return await use(root);
    } finally {
        await rm(root, { recursive: true });
    }
}

export function loadShop(changes: Changes = {}, options: Partial<LoadOptions> = {}): Promise<Project> {
    return withShop(changes, (root) => loadProject({ root, env: {}, ...options }));
}

export async function compileShop(
    changes: Changes = {},
    options: Partial<LoadOptions> = {},
): Promise<CompiledProject> {
    return compileProject(await loadShop(changes, options));
}

/** The problems of whatever goes wrong; an error if nothing does. */
export async function problemsOf(work: Promise<unknown>): Promise<readonly Problem[]> {
    try {
        await work;
    } catch (error) {
        const { problems } = error as { readonly problems?: readonly Problem[] };
        if (problems) return problems;
        throw error;
    }
    throw new Error("there was no problem");
}

/** `models/a.sql:3:14 message`, as they are printed. */
export async function linesOf(work: Promise<unknown>): Promise<readonly string[]> {
    return (await problemsOf(work)).map(({ file, line, column, key, message }) => {
        const place = [file, line, column].filter((part) => part !== undefined).join(":");
        return `${place}${key === undefined ? "" : ` (${key})`} ${message}`;
    });
}

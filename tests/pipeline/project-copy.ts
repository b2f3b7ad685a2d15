import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface ProjectCopy {
    readonly root: string;
    remove(): Promise<void>;
}

/** This project in a folder of its own, to be changed and run: models are copied, the program is linked. */
export async function copyProject(): Promise<ProjectCopy> {
    const copy = await mkdtemp(join(tmpdir(), "racealpha-"));
    for (const name of [
        "models",
        "macros",
        "seeds",
        "tests/assertions",
        "rebuild.yml",
        "profiles.yml",
        "README.md",
    ]) {
        await cp(join(root, name), join(copy, name), { recursive: true });
    }
    for (const name of ["runner", "sandbox", "bin", "node_modules", "package.json"]) {
        await symlink(join(root, name), join(copy, name));
    }
    return { root: copy, remove: () => rm(copy, { recursive: true, force: true }) };
}

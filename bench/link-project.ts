import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const files = ["models", "macros", "seeds", "tests", "profiles.yml", "rebuild.yml"];

/** Makes a folder this very project, with a target/ of its own. */
export function linkProject(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const file of files) {
        const link = join(folder, file);
        if (!existsSync(link)) symlinkSync(join(root, file), link);
    }
}

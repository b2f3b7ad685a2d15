import { rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * One file of JavaScript of a script beside this one: a process that runs it starts in 0.22 s of processor time
 * instead of the 0.5 s that it takes to transform some forty modules, for tests that start hundreds.
 */
export async function bundleScript(name: string): Promise<string> {
    // In a folder from which the packages are found.
    const place = fileURLToPath(new URL(`../../node_modules/.cache/rebuild/${name}`, import.meta.url));
    const outfile = `${place}.${process.pid}`;
    await build({
        entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
        ...{ bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" },
        ...{ outfile, logLevel: "error" },
    });
    // Whole at once: other test files may make and run the same.
    await rename(outfile, `${place}.mjs`);
    return `${place}.mjs`;
}

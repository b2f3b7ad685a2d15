import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("setting up", () => {
    let clone: string;
    beforeAll(async () => {
        clone = await mkdtemp(join(tmpdir(), "rebuild-setup-"));
        for (const name of ["package.json", "package-lock.json", "bin/setup.js"]) {
            await cp(join(root, name), join(clone, name));
        }
        await writeFile(join(clone, "npm.mjs"), "console.log(JSON.stringify(process.argv.slice(2)));\n");
    });
    afterAll(() => rm(clone, { recursive: true, force: true }));

    test("installs everything on a fresh clone, whatever npm thinks of packages' install scripts", () => {
        const { stdout, status } = spawnSync(process.execPath, [join(clone, "bin", "setup.js")], {
            env: { ...process.env, NODE_ENV: "production", npm_execpath: join(clone, "npm.mjs") },
            encoding: "utf8",
        });
        expect(status).toBe(0);
        expect(JSON.parse(stdout)).toEqual(
            expect.arrayContaining(["ci", "--include=dev", "--ignore-scripts"]),
        );
    });

    test("is a part of the two commands, not a hook that npm may be told to skip", async () => {
        const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
            readonly scripts: Readonly<Record<string, string>>;
        };
        expect(Object.keys(scripts).filter((name) => /^(pre|post)/.test(name))).toEqual([]);
        expect(scripts.start).toMatch(/^node bin\/setup\.js && /);
        expect(scripts.test).toMatch(/^node bin\/setup\.js && /);
    });
});

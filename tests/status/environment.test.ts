import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../runner/commands/settings.ts";
import type { Problem } from "../../runner/errors.ts";
import { rebuild } from "../runner/command-line.ts";
import { withShop } from "../runner/shop-project.ts";

const settingsOf = (env: Record<string, string>) => {
    const problems: Problem[] = [];
    const settings = readSettings(env, problems);
    return { settings, problems: problems.map(({ key, message }) => `${key}: ${message}`) };
};

describe("the environment", () => {
    it("is taken as it is meant, and what is empty as not set", () => {
        const { settings, problems } = settingsOf({
            TRIGGERED_BY: "Cron",
            TEST_MODE: "",
            SUPABASE_URL: "https://abcdefgh.supabase.co/",
            SUPABASE_SERVICE_KEY: "key",
        });
        expect(problems).toEqual([]);
        expect(settings).toEqual({
            triggeredBy: "cron",
            testMode: false,
            restApi: { url: "https://abcdefgh.supabase.co", serviceKey: "key" },
        });
        expect(settingsOf({ SUPABASE_URL: "https://abcdefgh.supabase.co" }).settings.restApi).toBeUndefined();
    });

    it("is refused with every problem at once, and without the secrets", () => {
        const { problems } = settingsOf({
            TRIGGERED_BY: "crno",
            TEST_MODE: "yes",
            SUPABASE_URL: "http://user:hidden@abcdefgh.supabase.co",
            SUPABASE_SERVICE_KEY: "key",
            REBUILD_SERVICE_TOKEN: "hunter2",
        });
        expect(problems).toEqual([
            'TRIGGERED_BY: found "crno"; allowed are manual, cron, api',
            'TEST_MODE: found "yes"; allowed are true, false',
            expect.stringMatching(/^SUPABASE_URL: must be the project's address/),
            expect.stringMatching(/^REBUILD_SERVICE_TOKEN: has 7 characters/),
        ]);
        expect(problems.join()).not.toMatch(/hidden|hunter2/);
    });

    it("is told beside the problems of the project's own files", () =>
        withShop({ "rebuild.yml": "name: shop\nserve: { schedule: weekly }\n" }, async (root) => {
            const { code, stderr } = await rebuild(["ls"], { cwd: root, env: { TEST_MODE: "perhaps" } });
            expect(code).toBe(2);
            expect(stderr).toMatch(/environment \(TEST_MODE\): found "perhaps"/);
            expect(stderr).toContain('must be a cron pattern in UTC, such as "0 16 * * 0"');
        }));

    it("is completed by .env, which changes nothing that is set", () =>
        withShop(
            { ".env": "LOG_FORMAT=json\nTRIGGERED_BY=nobody\nREBUILD_TARGET=nowhere\n" },
            async (root) => {
                const { code, stderr } = await rebuild(["ls", "--project-dir", root], {
                    env: { REBUILD_TARGET: "files" },
                });
                expect(code).toBe(2);
                expect(JSON.parse(stderr)).toMatchObject({
                    level: "error",
                    message: expect.stringContaining('"nobody"'),
                });
                expect(stderr).not.toContain("nowhere");
                await writeFile(join(root, ".env"), "TRIGGERED_BY=nobody\n");
                expect((await rebuild(["ls"], { cwd: root, env: { REBUILD_ENV_FILE: "" } })).code).toBe(0);
            },
        ));

    it("of the example is valid, and names every variable that the program reads", async () => {
        const example = await readFile(new URL("../../.env.example", import.meta.url), "utf8");
        expect(settingsOf(parseEnv(example) as Record<string, string>).problems).toEqual([]);
        for (const name of [
            "DATABASE_URL SUPABASE_URL SUPABASE_SERVICE_KEY TRIGGERED_BY TEST_MODE REBUILD_TARGET LOG_LEVEL LOG_FORMAT",
            "REBUILD_SERVICE_TOKEN REBUILD_WEBHOOK_URL REBUILD_MEMORY_LIMIT REBUILD_THREADS REBUILD_CONCURRENCY",
        ].flatMap((line) => line.split(" "))) {
            expect(example).toMatch(new RegExp(`^#?${name}=`, "m"));
        }
    });
});

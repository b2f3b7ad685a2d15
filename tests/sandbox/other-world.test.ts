import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Outcome, rebuild } from "../runner/command-line.ts";

const files: Readonly<Record<string, string>> = {
    "rebuild.yml": "name: calendar\n",
    "profiles.yml":
        "default: sandbox\ntargets:\n    sandbox:\n        source: { type: sandbox }\n        publish: { type: sandbox }\n",
    "models/sources.yml":
        "sources:\n    races:\n        primary_key: [race_id]\n        columns:\n            race_id: { type: bigint }\n            race_date: { type: date }\n",
    "models/calendar.sql": 'select race_id, race_date from {{source "races"}}',
    "models/calendar.yml":
        "model: calendar\nmaterialized: postgres_table\ntags: [publish]\ngrain: race_id\nas_of: race_date\ncolumns:\n    race_id: { type: bigint }\n    race_date: { type: date }\npublish: { primary_key: [race_id] }\n",
};

describe("a sandbox filled with another world", () => {
    let root: string;
    const command = (...args: readonly string[]): Promise<Outcome> => rebuild(args, { cwd: root });

    beforeAll(async () => {
        root = await mkdtemp(join(tmpdir(), "other-world-"));
        await chmod(root, 0o755);
        for (const [name, text] of Object.entries(files)) {
            await mkdir(join(root, name, ".."), { recursive: true });
            await writeFile(join(root, name), text);
        }
    });
    afterAll(() => rm(root, { recursive: true, force: true }));

    it("may publish what the bounds of the world before would refuse, once", async () => {
        await command("sandbox", "reset", "--size", "600");
        const first = await command("run");
        expect(first.stderr).not.toContain("Error");
        expect(first.code).toBe(0);
        // The server stands until the last word on the run was written to it.
        expect(first.stdout + first.stderr).not.toContain("cannot be written");
        await command("sandbox", "reset", "--size", "60");
        const other = await command("run");
        expect(other.stdout).toContain("is of the world before");
        expect(other.stderr + other.stdout).toContain("Done.");
        const again = await command("run", "--json");
        expect(again.stderr).not.toContain("is of the world before");
        expect(again.code).toBe(0);
    });
});

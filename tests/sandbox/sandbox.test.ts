import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import {
    ensureWorld,
    loadFolder,
    openSandbox,
    resetWorld,
    type Sandbox,
    withSandbox,
} from "../../sandbox/sandbox.ts";

const small = { seed: 3, races: 200, today: "2026-11-23" };
const hongKong =
    process.env.HONGKONG_DATA ??
    resolve(fileURLToPath(new URL("../../../shared/data/hongkong", import.meta.url)));

let root: string;
let sandbox: Sandbox;
const notes: string[] = [];
const note = (message: string) => void notes.push(message);

beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "sandbox-root-"));
    // Where tests run as root, the server's account has to pass.
    await chmod(root, 0o755);
    sandbox = await openSandbox({ root });
});

afterAll(async () => {
    await sandbox?.stop();
    await rm(root, { recursive: true, force: true });
});

beforeEach(() => {
    notes.length = 0;
});

async function ask(sql: string): Promise<readonly Record<string, unknown>[]> {
    return withClient({ url: sandbox.url }, async (client) => (await client.query(sql)).rows);
}

describe("the sandbox", () => {
    it("has a database with the roles that an API's grants are for", async () => {
        const rows = await ask(
            "select current_database() as name, count(*)::int as roles from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and not rolcanlogin",
        );
        expect(rows).toEqual([{ name: "racealpha", roles: 3 }]);
    });

    it("is the same one for a second opener", async () => {
        await withSandbox({ root }, async (url) => expect(url).toBe(sandbox.url));
        expect(await ask("select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("simulates a world once", async () => {
        const first = await ensureWorld(sandbox.url, { ...small, note });
        const second = await ensureWorld(sandbox.url, { ...small, note });
        expect([first.isNew, second.isNew]).toEqual([true, false]);
        expect(notes).toHaveLength(1);
        expect(notes[0]).toMatch(/simulated a world of 200 races with [\d,]+ runners .* \(seed 3\)/);
    });

    it("simulates one world for two who want it at the same moment", async () => {
        const both = await Promise.all([
            ensureWorld(sandbox.url, { ...small, seed: 5 }),
            ensureWorld(sandbox.url, { ...small, seed: 5 }),
        ]);
        expect(both.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
    });

    it("keeps a world of other settings when none are asked for, and replaces it when they are", async () => {
        await ensureWorld(sandbox.url, { seed: 3, races: 200 });
        expect(await ensureWorld(sandbox.url)).toMatchObject({ kind: "simulated", races: 200, isNew: false });
        expect(await ensureWorld(sandbox.url, { races: 150 })).toMatchObject({ races: 150, isNew: true });
    });

    it("simulates a world anew whose upcoming races have passed, with its settings", async () => {
        await ensureWorld(sandbox.url, { ...small, today: "2020-01-01" });
        const loaded = await ensureWorld(sandbox.url);
        expect(loaded).toMatchObject({ seed: 3, races: 200, isNew: true });
        const [row] = await ask("select max(race_date) >= current_date - 1 as is_fresh from races");
        expect(row).toEqual({ is_fresh: true });
    });

    it("simulates a world anew when a source table was dropped", async () => {
        await ensureWorld(sandbox.url, small);
        await ask("drop table sectional_times");
        expect(await ensureWorld(sandbox.url, small)).toMatchObject({ isNew: true });
        expect((await ask("select from sectional_times")).length).toBeGreaterThan(100);
    });

    it("leaves the old world in place when a load fails half-way", async () => {
        await ensureWorld(sandbox.url, small);
        const folder = await csvFolder("broken", { results: "id,race_id,position\n1,1,first\n" });
        await expect(loadFolder(sandbox.url, folder)).rejects.toThrow(
            /invalid input syntax for type smallint: "first"/,
        );
        expect(await ensureWorld(sandbox.url, small)).toMatchObject({ isNew: false });
        expect(await ask("select count(*)::int as races from races")).toEqual([{ races: 200 }]);
    });
});

describe("a folder of files", () => {
    it("takes the place of the simulated world, and is not replaced unasked", async () => {
        const folder = await csvFolder("small", {});
        await loadFolder(sandbox.url, folder, { note });
        expect(await ensureWorld(sandbox.url, { note })).toMatchObject({
            kind: "folder",
            folder,
            isNew: false,
        });
        expect(notes).toHaveLength(3);
        expect(await ask("select race_id, race_date, track_name, surface from races")).toEqual([
            { race_id: 1n, race_date: "2024-02-29", track_name: "Sha Tin, main\ncourse", surface: null },
        ]);
        expect(await ask("select horse_name, original_weight, win_odds from race_results")).toEqual([
            { horse_name: "", original_weight: "57.5", win_odds: null },
        ]);
        expect(await ask("select cumulative_400m, finish_time from sectional_times")).toEqual([
            { cumulative_400m: "00:00:24.05", finish_time: "00:01:23.92" },
        ]);
        expect(await resetWorld(sandbox.url, { size: 150, seed: 4 })).toMatchObject({
            races: 150,
            isNew: true,
        });
    });

    it("is refused with every unknown and every missing column", async () => {
        const folder = await csvFolder("columns", { races: "race_id,race_day,trakc_name\n" });
        await expect(loadFolder(sandbox.url, folder)).rejects.toThrow(
            /races\.csv:1: column "race_day" is not one of races: race_id, .*\n.*"trakc_name".*\n.*"race_date" of races is missing\n.*"track_name"/,
        );
    });

    it("is refused with the names of all missing files", async () => {
        const folder = join(root, "empty");
        await mkdir(folder);
        await expect(loadFolder(sandbox.url, folder)).rejects.toThrow(
            /races\.csv(.|\n)*race_results\.csv(.|\n)*sectional_times\.csv/,
        );
        await expect(loadFolder(sandbox.url, join(root, "nowhere"))).rejects.toThrow(/no such folder/);
    });

    it.skipIf(!existsSync(hongKong))("holds the Hong Kong races, where they are at hand", async () => {
        await loadFolder(sandbox.url, hongKong);
        const [row] = await ask(`
            select (select count(*)::int from races) as races, (select count(*)::int from race_results) as results,
                (select count(finish_time)::int from sectional_times) as times`);
        expect(row).toEqual({ races: 6348, results: 79447, times: 79447 });
    });
});

async function csvFolder(
    name: string,
    files: { readonly races?: string; readonly results?: string },
): Promise<string> {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await writeFile(
        join(folder, "races.csv"),
        files.races ?? 'race_id,race_date,track_name,surface\r\n1,2024-02-29,"Sha Tin, main\ncourse",\r\n',
    );
    await writeFile(
        join(folder, "race_results.csv"),
        files.results ?? 'id,race_id,horse_name,original_weight,win_odds\n1,1,"",57.5,\n',
    );
    await writeFile(
        join(folder, "sectional_times.csv.gz"),
        gzipSync(
            "race_id,horse_number,horse_name,cumulative_400m,finish_time\n1,4,Silver Star,24.05,83.92\n",
        ),
    );
    return folder;
}

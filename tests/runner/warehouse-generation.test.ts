import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { WarehouseSettings } from "../../runner/project/project.ts";
import { failedPath, withGeneration } from "../../runner/warehouse/generation.ts";
import { readMetadata, writeMetadata } from "../../runner/warehouse/metadata.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";
import { limitsIn, withTemporaryDirectory } from "./warehouse-fixture.ts";

function settingsIn(directory: string): WarehouseSettings {
    return { ...limitsIn(directory), path: join(directory, "target/warehouse.duckdb"), concurrency: 2 };
}

/** A generation whose one table holds `n`. */
function build(
    settings: WarehouseSettings,
    n: number,
    promote: boolean,
    start: "empty" | "last-good" = "empty",
) {
    return withGeneration(settings, { runId: `run${n}`, start }, async (warehouse) => {
        await warehouse.execute(`create or replace table numbers as select ${n} as n`);
        return { promote, result: n };
    });
}

function numberIn(path: string, settings: WarehouseSettings): Promise<unknown> {
    return withWarehouse(path, { ...settings, readOnly: true }, async (warehouse) => {
        const [row] = await warehouse.rows("select n from numbers");
        return row?.n;
    });
}

async function files(settings: WarehouseSettings): Promise<readonly string[]> {
    return readdir(join(settings.path, ".."));
}

test("a good generation takes the last one's place, a failed one is kept beside it", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        expect(await build(settings, 1, true)).toBe(1);
        expect(await files(settings)).toEqual(["warehouse.duckdb"]);
        await build(settings, 2, false);
        expect(await numberIn(settings.path, settings)).toBe(1);
        expect(await numberIn(failedPath(settings.path), settings)).toBe(2);
        await build(settings, 3, true);
        expect(await numberIn(settings.path, settings)).toBe(3);
        expect(await files(settings)).toEqual(["warehouse.duckdb"]);
    });
});

test("where memory is short, what was built is looked at in an opening of its own", async () => {
    await withTemporaryDirectory(async (directory) => {
        const seen = async (memoryLimit: string) =>
            withGeneration(
                { ...settingsIn(directory), memoryLimit },
                {
                    runId: "run1",
                    start: "empty",
                    build: (warehouse) =>
                        warehouse.execute("create table numbers as select 1 as n; set variable opening = 1"),
                },
                async (warehouse) => {
                    const [row] = await warehouse.rows(
                        "select n, getvariable('opening') as opening from numbers",
                    );
                    return { promote: true, result: row };
                },
            );
        expect(await seen("500MB")).toEqual({ n: 1, opening: null });
        expect(await seen("4GB")).toEqual({ n: 1, opening: 1 });
    });
});

test("a run that throws leaves the last good warehouse, byte by byte, and nothing else", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        await build(settings, 1, true);
        const before = await readFile(settings.path);
        const failing = withGeneration(settings, { runId: "run2", start: "last-good" }, async (warehouse) => {
            await warehouse.execute("drop table numbers");
            throw new Error("the source went away");
        });
        await expect(failing).rejects.toThrow("the source went away");
        expect(before.equals(await readFile(settings.path))).toBe(true);
        expect(await files(settings)).toEqual(["warehouse.duckdb"]);
    });
});

test("a partial run starts from the last good warehouse, and needs one", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        await expect(build(settings, 1, true, "last-good")).rejects.toThrow(/no last good warehouse/);
        await build(settings, 1, true);
        await withGeneration(settings, { runId: "part", start: "last-good" }, async (warehouse) => {
            await warehouse.execute("create table doubled as select n * 2 as n from numbers");
            return { promote: true, result: undefined };
        });
        const tables = await withWarehouse(settings.path, settings, (warehouse) =>
            warehouse.rows("from doubled"),
        );
        expect(tables).toEqual([{ n: 2 }]);
    });
});

test("readers of the last good warehouse are not disturbed by the one that replaces it", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        await build(settings, 1, true);
        await withWarehouse(settings.path, { ...settings, readOnly: true }, async (reader) => {
            await build(settings, 2, true);
            expect(await reader.rows("from numbers")).toEqual([{ n: 1 }]);
        });
        expect(await numberIn(settings.path, settings)).toBe(2);
    });
});

test("a run killed while it builds leaves the last good warehouse, and the next run cleans up", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        await build(settings, 1, true);
        const before = await readFile(settings.path);
        const script = `
            import { withGeneration } from "${resolve("runner/warehouse/generation.ts")}";
            const settings = { ...${JSON.stringify(settings)}, memoryLimit: "80MB" };
            await withGeneration(settings, { runId: "killed", start: "last-good" }, async (warehouse) => {
                await warehouse.execute("create or replace table numbers as select 7 as n");
                setTimeout(() => console.log("building"), 300);
                await warehouse.execute("create table sorted as select hash(range) as h, repeat('x', 40) as t from range(40000000) order by h");
                return { promote: true, result: undefined };
            });`;
        const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        await once(child.stdout, "data");
        child.kill("SIGKILL");
        await once(child, "exit");
        expect(await files(settings)).toContain("warehouse.killed.duckdb");
        expect(before.equals(await readFile(settings.path))).toBe(true);
        expect(await numberIn(settings.path, settings)).toBe(1);
        await build(settings, 2, true);
        expect(await numberIn(settings.path, settings)).toBe(2);
        expect(await files(settings)).toEqual(["warehouse.duckdb"]);
        expect(await readdir(settings.spillDirectory)).toEqual([]);
    });
});

test("clean-up takes only what runs of this warehouse left", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        const target = join(directory, "target");
        await mkdir(join(target, "warehouse.dead.duckdb.tmp"), { recursive: true });
        for (const name of [
            "warehouse.dead.duckdb",
            "warehouse.dead.duckdb.wal",
            "files.duckdb",
            "warehouse.csv",
        ]) {
            await writeFile(join(target, name), "");
        }
        await build(settings, 1, false);
        expect(await files(settings)).toEqual(["files.duckdb", "warehouse.csv", "warehouse.failed.duckdb"]);
    });
});

test("a full disk is told as such, and the last good warehouse stays", async (context) => {
    const small = process.env.REBUILD_SMALL_DISK;
    if (!small || !existsSync(small)) {
        console.log("skipped: set REBUILD_SMALL_DISK to a directory on a file system of some 30 MB");
        return context.skip();
    }
    const settings = settingsIn(join(small, `disk-${process.pid}`));
    await build(settings, 1, true);
    const failing = withGeneration(settings, { runId: "run2", start: "empty" }, async (warehouse) => {
        await warehouse.execute("create table big as select random() as n from range(20000000)");
        return { promote: true, result: undefined };
    });
    await expect(failing).rejects.toThrow(/No space left on device\nFree space there/);
    expect(await numberIn(settings.path, settings)).toBe(1);
    expect(await files(settings)).toEqual(["warehouse.duckdb"]);
});

test("a warehouse remembers the run that made it and the age of its sources", async () => {
    await withTemporaryDirectory(async (directory) => {
        const settings = settingsIn(directory);
        const metadata = {
            runId: "r1",
            startedAt: new Date("2024-03-01T10:00:00.123Z"),
            source: "postgres://reader:secret@db.example/shop",
        };
        await withWarehouse(settings.path, settings, async (warehouse) => {
            expect(await readMetadata(warehouse)).toBeUndefined();
            await writeMetadata(warehouse, metadata);
            const scrubbed = { ...metadata, source: "postgres://reader:***@db.example/shop" };
            expect(await readMetadata(warehouse)).toEqual(scrubbed);
            const snapshotAt = new Date("2024-03-01T10:00:05.500Z");
            await writeMetadata(warehouse, { ...metadata, snapshotAt, fingerprint: "it's" });
        });
        await withWarehouse(settings.path, { ...settings, readOnly: true }, async (warehouse) => {
            expect(await readMetadata(warehouse)).toMatchObject({
                snapshotAt: new Date("2024-03-01T10:00:05.500Z"),
                fingerprint: "it's",
            });
        });
    });
});

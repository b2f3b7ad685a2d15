import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { WarehouseSettings } from "../../runner/project/project.ts";
import { withDirectoryLock } from "../../runner/warehouse/directory-lock.ts";
import { withGeneration } from "../../runner/warehouse/generation.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";

const kills = 25;

/** One generation after the other: two tables that must always hold the same number. */
const script = (settings: WarehouseSettings, target: string) => `
    import { withDirectoryLock } from "${resolve("runner/warehouse/directory-lock.ts")}";
    import { withGeneration } from "${resolve("runner/warehouse/generation.ts")}";
    const settings = ${JSON.stringify(settings)};
    console.log("ready");
    for (let n = Date.now(); ; n++) {
        await withDirectoryLock(${JSON.stringify(target)}, { runId: "run" + n, command: "rebuild run" }, () =>
            withGeneration(settings, { runId: "run" + n, start: n % 2 ? "last-good" : "empty" }, async (warehouse) => {
                await warehouse.execute("create or replace table first as select " + n + " as n, range from range(200000)");
                await warehouse.execute("create or replace table second as select * from first order by hash(range)");
                return { promote: true, result: undefined };
            }));
    }`;

test("a process killed at any moment leaves a whole warehouse, a free lock and nothing that stays", async () => {
    const directory = await mkdtemp(join(tmpdir(), "rebuild-kill-"));
    const target = join(directory, "target");
    const settings: WarehouseSettings = {
        path: join(target, "warehouse.duckdb"),
        memoryLimit: "200MB",
        threads: 2,
        spillDirectory: join(target, "spill"),
        concurrency: 2,
    };
    try {
        await withGeneration(settings, { runId: "first", start: "empty" }, async (warehouse) => {
            for (const name of ["first", "second"]) {
                await warehouse.execute(`create table ${name} as select 0 as n, range from range(200000)`);
            }
            return { promote: true, result: undefined };
        });
        let newest = 0n;
        for (let round = 0; round < kills; round++) {
            const child = spawn(
                process.execPath,
                ["--import", "tsx", "--input-type=module", "-e", script(settings, target)],
                {
                    stdio: ["ignore", "pipe", "inherit"],
                },
            );
            await once(child.stdout, "data");
            await new Promise((later) => setTimeout(later, Math.random() * 700));
            child.kill("SIGKILL");
            await once(child, "exit");
            const rows = await withWarehouse(settings.path, { ...settings, readOnly: true }, (warehouse) =>
                warehouse.rows(`select count(*) as rows, min(n)::bigint as least, max(n)::bigint as most
                    from (from first union all from second)`),
            );
            expect(rows[0]).toMatchObject({ rows: 400_000n, least: rows[0]?.most });
            expect(rows[0]?.most).toBeGreaterThanOrEqual(newest);
            newest = rows[0]?.most as bigint;
        }
        expect(newest).toBeGreaterThan(0n);
        await withDirectoryLock(target, { runId: "last", command: "rebuild run" }, () =>
            withGeneration(settings, { runId: "last", start: "last-good" }, async () => ({
                promote: true,
                result: undefined,
            })),
        );
        expect(await readdir(target)).toEqual(["run.lock.duckdb", "spill", "warehouse.duckdb"]);
        expect(await readdir(settings.spillDirectory)).toEqual([]);
    } finally {
        await rm(directory, { recursive: true, force: true });
    }
}, 300_000);

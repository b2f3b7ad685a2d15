import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Source } from "../../runner/project/project.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withMemoryWarehouse, withTemporaryDirectory } from "../runner/warehouse-fixture.ts";
import { edgeWorld } from "./edge-world.ts";
import { root } from "./reference/build-pipeline.ts";
import { withTinyWorld } from "./tiny-world.ts";

const datasets = ["race_training_dataset", "race_upcoming_dataset"];
/** What only an optional column tells: the position of the rail. */
const untold = ["rail_out_metres", "is_rail_true", "effective_barrier"];

async function readDatasets(warehouse: Warehouse) {
    const read = datasets.map((name) => warehouse.rows(`select * from ${name} order by race_id, horse_slug`));
    return (await Promise.all(read)).flat();
}

/** A source as a file that lacks every column that may be missing. */
async function writeSource(folder: string, source: Source): Promise<void> {
    const columns = source.columns.filter(({ optional }) => !optional).map(({ name }) => name);
    const rows = edgeWorld[source.name as keyof typeof edgeWorld] ?? [];
    const lines = [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ""))];
    await writeFile(
        join(folder, `${source.identifier}.csv`),
        `${lines.map((line) => line.join(",")).join("\n")}\n`,
    );
}

test("sources without their optional columns give the same datasets, but for what only these can tell", async () => {
    const project = await loadProject({ root, env: {}, target: "files" });
    const optional = project.sources.flatMap(({ columns }) => columns.filter((column) => column.optional));
    expect(optional.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["surface", "track_weather", "track_info", "prize_money", "updated_at"]),
    );
    const compiled = compileProject(project);
    const without = await withTemporaryDirectory(async (folder) => {
        await mkdir(folder, { recursive: true });
        for (const source of project.sources) await writeSource(folder, source);
        return withMemoryWarehouse(async (warehouse) => {
            const options = {
                project,
                warehouse,
                report: () => undefined,
                signal: new AbortController().signal,
            };
            await extractSources({ ...options, connection: { type: "files", path: folder } });
            const results = await buildNodes({ ...options, compiled, names: new Set(compiled.order) });
            expect(results.filter(({ status }) => status !== "success")).toEqual([]);
            return readDatasets(warehouse);
        });
    });
    const complete = await withTinyWorld(edgeWorld, ["*"], readDatasets);
    const silent = (row: Readonly<Record<string, unknown>>) => ({
        ...row,
        ...Object.fromEntries(untold.map((name) => [name, null])),
    });
    expect(complete.some((row) => row.rail_out_metres !== null)).toBe(true);
    expect(without).toEqual(complete.map(silent));
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selectNodes } from "../../runner/compile/select.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";
import { withHistorySlice } from "../../runner/testing/replay/slices/history-slice.ts";
import { type BuildOptions, buildNodes } from "../../runner/warehouse/build.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";
import { loadWorld } from "../../sandbox/load/load-world.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { createDatabase } from "../postgres-server.ts";
import { type CombinedVariants, combineVariants } from "./combine-variants.ts";
import type { Variant } from "./mutant.ts";
import { withScriptFolder } from "./script-folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface VariantWorld extends CombinedVariants {
    readonly project: Project;
    readonly warehouse: Warehouse;
    /** One with ten races in the middle of the season: others come after it. */
    readonly day: string;
}

/**
 * A small simulated world with this project's models and those of the variants built from it; with `slice`, a slice of
 * so many races of a long one, as a run's audit makes it.
 */
export async function withVariantWorld<T>(
    variants: readonly Variant[],
    callback: (world: VariantWorld) => Promise<T>,
    { slice }: { readonly slice?: number } = {},
): Promise<T> {
    // Races are few: pars of five on one course would hardly occur.
    const project = await loadProject({
        root,
        env: {},
        target: "sandbox",
        vars: { speed_par_min_races: 1 },
    });
    const database = await createDatabase("variants");
    const folder = await mkdtemp(join(tmpdir(), "rebuild-variants-"));
    try {
        await withClient({ url: database.url }, prepareDatabase);
        const races = slice === undefined ? 400 : 8 * slice;
        await loadWorld(database.url, { seed: 11, races, today: "2024-06-03" });
        const settings = { ...project.target.warehouse, spillDirectory: join(folder, "spill") };
        return await withScriptFolder((scripts) =>
            withWarehouse(join(folder, "variants.duckdb"), settings, async (warehouse) => {
                const combined = await combineVariants(project, variants, scripts);
                const { compiled, seenIn } = combined;
                const report = () => undefined;
                const { signal } = new AbortController();
                const connection = {
                    type: "postgres",
                    url: database.url,
                    schema: "public",
                    connections: 3,
                    timeBudgetSeconds: 60,
                } as const;
                await extractSources({ project, connection, warehouse, report, signal });
                const day = "2024-04-28";
                if (slice !== undefined) {
                    const seeds = selectNodes(compiled, { select: ["type:seed"] });
                    await buildOrThrow({ warehouse, project, compiled, names: seeds, report, signal });
                    const names = new Set([...seenIn.values(), ...combined.originals.values()]);
                    const options = {
                        project,
                        compiled,
                        warehouse,
                        day,
                        size: slice,
                        seed: 1,
                        names,
                        signal,
                    };
                    return withHistorySlice(options, async ({ warehouse, failures }) => {
                        for (const [name, message] of failures) throw new Error(`${name}: ${message}`);
                        return callback({ ...combined, project, warehouse, day });
                    });
                }
                const names = selectNodes(compiled, {
                    select: [...seenIn.values(), ...combined.originals.values()].map((name) => `+${name}`),
                });
                await buildOrThrow({ warehouse, project, compiled, names, report, signal });
                return callback({ ...combined, project, warehouse, day });
            }),
        );
    } finally {
        await rm(folder, { recursive: true, force: true });
        await database.drop();
    }
}

async function buildOrThrow(options: BuildOptions): Promise<void> {
    const results = await buildNodes(options);
    const failed = results.filter(({ status }) => status !== "success");
    if (failed.length > 0)
        throw new Error(failed.map(({ name, message }) => `${name}: ${message}`).join("\n"));
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selectNodes } from "../../runner/compile/select.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
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
}

/** A small simulated world with this project's models and those of the variants built from it. */
export async function withVariantWorld<T>(
    variants: readonly Variant[],
    callback: (world: VariantWorld) => Promise<T>,
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
        await loadWorld(database.url, { seed: 11, races: 400, today: "2024-06-03" });
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
                const names = selectNodes(compiled, {
                    select: [...seenIn.values(), ...combined.originals.values()].map((name) => `+${name}`),
                });
                const results = await buildNodes({ warehouse, project, compiled, names, report, signal });
                const failed = results.filter(({ status }) => status !== "success");
                if (failed.length > 0)
                    throw new Error(failed.map(({ name, message }) => `${name}: ${message}`).join("\n"));
                return callback({ ...combined, project, warehouse });
            }),
        );
    } finally {
        await rm(folder, { recursive: true, force: true });
        await database.drop();
    }
}

import { compileProject } from "../../runner/compile/compile-project.ts";
import type { CompiledProject } from "../../runner/compile/compiled.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { ensureWorld } from "../../sandbox/sandbox.ts";
import type { WorldSettings } from "../../sandbox/world/simulate.ts";
import { createDatabase } from "../postgres-server.ts";
import { withMemoryWarehouse } from "../runner/warehouse-fixture.ts";
import { root } from "./reference/build-pipeline.ts";

export interface SimulatedSources {
    readonly warehouse: Warehouse;
    readonly project: Project;
    readonly compiled: CompiledProject;
}

/** This project and a simulated world, extracted into memory; no model is built. */
export async function withSimulatedSources<T>(
    settings: WorldSettings,
    callback: (sources: SimulatedSources) => Promise<T>,
): Promise<T> {
    const database = await createDatabase(`world ${settings.seed} ${settings.races}`);
    try {
        const { url } = database;
        await withClient({ url }, prepareDatabase);
        await ensureWorld(url, settings);
        const project = await loadProject({ root, env: {}, target: "sandbox" });
        const compiled = compileProject(project);
        return await withMemoryWarehouse(async (warehouse) => {
            await extractSources({
                project,
                warehouse,
                connection: {
                    type: "postgres",
                    url,
                    schema: "public",
                    connections: 3,
                    timeBudgetSeconds: 60,
                },
                report: () => undefined,
                signal: new AbortController().signal,
            });
            return callback({ warehouse, project, compiled });
        });
    } finally {
        await database.drop();
    }
}

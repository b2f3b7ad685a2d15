import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import { extractSources } from "../../../runner/extract/extract-sources.ts";
import type { FilesSource, PostgresSource } from "../../../runner/extract/extraction.ts";
import { loadProject } from "../../../runner/project/load-project.ts";
import type { Project } from "../../../runner/project/project.ts";
import { buildNodes } from "../../../runner/warehouse/build.ts";
import type { Warehouse } from "../../../runner/warehouse/types.ts";
import { withWarehouse } from "../../../runner/warehouse/warehouse.ts";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface PipelineOptions {
    readonly connection: PostgresSource | FilesSource;
    /** Races of this day and later are left out. */
    readonly until?: string;
}

export interface Pipeline {
    readonly warehouse: Warehouse;
    readonly project: Project;
    /** Builds every model anew from the sources as they are now. */
    readonly build: () => Promise<void>;
}

/** Builds all models from the connection in a warehouse of its own, for as long as the callback runs. */
export async function withPipeline<T>(
    { connection, until }: PipelineOptions,
    callback: (pipeline: Pipeline) => Promise<T>,
): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "rebuild-reference-"));
    try {
        const project = await loadProject({ root, env: {}, target: "sandbox" });
        const compiled = compileProject(project);
        const names = new Set(compiled.order);
        const settings = { ...project.target.warehouse, spillDirectory: join(folder, "spill") };
        const { signal } = new AbortController();
        const report = () => undefined;
        return await withWarehouse(join(folder, "reference.duckdb"), settings, async (warehouse) => {
            await extractSources({ project, connection, warehouse, report, signal });
            if (until !== undefined) {
                await warehouse.execute(`delete from sources.races where race_date >= '${until}'`);
                for (const table of ["race_results", "sectional_times"])
                    await warehouse.execute(
                        `delete from sources.${table} where race_id not in (select race_id from sources.races)`,
                    );
            }
            const build = async () => {
                const results = await buildNodes({ warehouse, project, compiled, names, report, signal });
                const failed = results.filter(({ status }) => status !== "success");
                if (failed.length > 0)
                    throw new Error(failed.map(({ name, message }) => `${name}: ${message}`).join("\n"));
            };
            await build();
            return await callback({ warehouse, project, build });
        });
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import { selectNodes } from "../../../runner/compile/select.ts";
import {
    extractSources,
    type FilesSource,
    type PostgresSource,
} from "../../../runner/extract/extract-sources.ts";
import { loadProject } from "../../../runner/project/load-project.ts";
import type { Project } from "../../../runner/project/project.ts";
import { buildNodes } from "../../../runner/warehouse/build.ts";
import type { Warehouse } from "../../../runner/warehouse/types.ts";
import { withWarehouse } from "../../../runner/warehouse/warehouse.ts";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds both datasets from the connection in a warehouse of its own, for as long as the callback runs. */
export async function withPipeline(
    connection: PostgresSource | FilesSource,
    callback: (warehouse: Warehouse, project: Project) => Promise<void>,
): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "rebuild-reference-"));
    try {
        const project = await loadProject({ root, env: {}, target: "sandbox" });
        const compiled = compileProject(project);
        const names = selectNodes(compiled, { select: ["+race_training_dataset", "+race_upcoming_dataset"] });
        const settings = { ...project.target.warehouse, spillDirectory: join(folder, "spill") };
        const { signal } = new AbortController();
        const report = () => undefined;
        await withWarehouse(join(folder, "reference.duckdb"), settings, async (warehouse) => {
            await extractSources({ project, connection, warehouse, report, signal });
            const results = await buildNodes({ warehouse, project, compiled, names, report, signal });
            const failed = results.filter(({ status }) => status !== "success");
            if (failed.length > 0)
                throw new Error(failed.map(({ name, message }) => `${name}: ${message}`).join("\n"));
            await callback(warehouse, project);
        });
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

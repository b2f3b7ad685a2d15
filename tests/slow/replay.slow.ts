import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { chooseDays } from "../../runner/testing/replay/choose-days.ts";
import { perturbations } from "../../runner/testing/replay/perturbation.ts";
import { planAudit } from "../../runner/testing/replay/plan-audit.ts";
import { runAudit } from "../../runner/testing/replay/run-audit.ts";
import { type Pipeline, withPipeline } from "../pipeline/reference/build-pipeline.ts";
import { hongKong } from "../pipeline/reference/check.ts";
import { simulateRoughWorld } from "../pipeline/reference/rough-world.ts";
import { createDatabase } from "../postgres-server.ts";

/** Three days, each changed in every way; returns what differs, and how many values were compared. */
async function auditAll({ warehouse, project }: Pipeline, seed: number, slice?: number) {
    const days = await chooseDays(warehouse, project.sources, { days: 4, seed });
    const { audit, results } = await runAudit({
        project,
        compiled: compileProject(project),
        warehouse,
        plan: planAudit(
            days.filter(({ why }) => why !== "first"),
            perturbations,
        ),
        // As the numbers of the models are within what slices of a usual size count to.
        ...(slice !== undefined && { slice, readsQueries: false }),
        seed,
        traceSeconds: 30,
        report: () => undefined,
        signal: new AbortController().signal,
    });
    const cells = audit.replays.flatMap(({ models }) => models).reduce((sum, one) => sum + one.cells, 0);
    const sliced = audit.replays.filter((one) => one.slice).length;
    const differing = results.flatMap(({ message }) => message ?? []);
    return { replays: results.length, sliced, differing, cells };
}

it.each([
    [29, "whole", undefined],
    [31, "on slices", 100],
] as const)(
    "nothing leaks in a rough world of seed %d, %s, however it is changed",
    async (seed, _, slice) => {
        const database = await createDatabase(`replay ${seed}`);
        try {
            const settings = { seed, races: 2000, today: "2025-03-02" };
            const connection = await simulateRoughWorld(database.url, settings);
            const audit = await withPipeline({ connection }, (pipeline) => auditAll(pipeline, seed, slice));
            expect(audit.differing).toEqual([]);
            // What no slice shows is replayed whole, on top.
            expect(audit.replays).toBeGreaterThanOrEqual(12);
            expect(audit.sliced).toBeGreaterThanOrEqual(slice === undefined ? 0 : 8);
        } finally {
            await database.drop();
        }
    },
);

if (!existsSync(hongKong)) console.info(`No races of Hong Kong in ${hongKong}: not replayed.`);

it.skipIf(!existsSync(hongKong))(
    "nothing leaks in the races of Hong Kong, however they are changed",
    async () => {
        const connection = { type: "files", path: hongKong } as const;
        const audit = await withPipeline({ connection }, (pipeline) => auditAll(pipeline, 3));
        expect(audit.differing).toEqual([]);
        expect(audit.replays).toBe(12);
        expect(audit.cells).toBeGreaterThan(100_000_000);
    },
);

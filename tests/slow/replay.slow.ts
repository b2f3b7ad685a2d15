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

/** Three days, each changed in every way; returns what differs, how many values were compared, and what a slice shows. */
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
        ...(slice !== undefined && { slice }),
        seed,
        traceSeconds: 30,
        report: () => undefined,
        signal: new AbortController().signal,
    });
    const cells = audit.replays.flatMap(({ models }) => models).reduce((sum, one) => sum + one.cells, 0);
    const sliced = audit.replays.filter((one) => one.slice).length;
    const differing = results.flatMap(({ message }) => message ?? []);
    return { replays: results.length, sliced, differing, cells, coverage: audit.coverage };
}

it.each([
    [29, "whole", undefined],
    [31, "on slices", 300],
] as const)(
    "nothing leaks in a rough world of seed %d, %s, however it is changed",
    async (seed, _, slice) => {
        const database = await createDatabase(`replay ${seed}`);
        try {
            const settings = { seed, races: 2000, today: "2025-03-02" };
            const connection = await simulateRoughWorld(database.url, settings);
            const audit = await withPipeline({ connection }, (pipeline) => auditAll(pipeline, seed, slice));
            expect(audit.differing).toEqual([]);
            expect(audit.replays).toBe(12);
            expect(audit.sliced).toBeGreaterThanOrEqual(slice === undefined ? 0 : 8);
            // A slice is of use as far as its rows hold what those of the whole do.
            const { seen = [], unseen = [] } = audit.coverage ?? {};
            expect(unseen.length).toBeLessThanOrEqual(0.05 * seen.length);
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

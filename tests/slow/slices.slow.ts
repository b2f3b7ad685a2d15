import { expect, test } from "vitest";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { selectNodes } from "../../runner/compile/select.ts";
import type { Audit } from "../../runner/testing/replay/audit.ts";
import { chooseDays } from "../../runner/testing/replay/choose-days.ts";
import { planAudit } from "../../runner/testing/replay/plan-audit.ts";
import { runAudit } from "../../runner/testing/replay/run-audit.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
import { gridColumns, gridModels, withLeakGrid } from "../leakage/leak-grid.ts";
import { withPipeline } from "../pipeline/reference/build-pipeline.ts";
import { simulateRoughWorld } from "../pipeline/reference/rough-world.ts";
import { createDatabase } from "../postgres-server.ts";

/** `model.column` that differ on any day. */
function leaking({ replays }: Audit): ReadonlySet<string> {
    return new Set(
        replays.flatMap(({ models }) =>
            models.flatMap(({ model, columns }) => columns.map(({ column }) => `${model}.${column}`)),
        ),
    );
}

test("an audit on slices finds every column that leaks on the whole history", async () => {
    const database = await createDatabase("slices");
    try {
        const connection = await simulateRoughWorld(database.url, {
            seed: 37,
            races: 6000,
            today: "2025-03-02",
        });
        await withPipeline({ connection }, async ({ project: own, warehouse }) => {
            const project = withLeakGrid(own);
            const compiled = compileProject(project);
            const names = selectNodes(compiled, { select: gridModels });
            const { signal } = new AbortController();
            const report = () => undefined;
            const built = await buildNodes({ warehouse, project, compiled, names, report, signal });
            expect(built.map(({ message }) => message).filter(Boolean)).toEqual([]);

            const plan = planAudit(await chooseDays(warehouse, project.sources, { days: 5, seed: 1 }));
            const options = { project, compiled, warehouse, plan, names, seed: 1, report, signal };
            const whole = await runAudit({ ...options, traceSeconds: 0 });
            const sliced = await runAudit({ ...options, traceSeconds: 0, slice: 150 });
            const [all, found] = [leaking(whole.audit), leaking(sliced.audit)];
            const missed = [...all].filter((column) => !found.has(column));
            process.stdout.write(
                `of ${gridColumns} generated columns ${all.size} leak on the whole history, ${all.size - missed.length} of these on slices\n`,
            );
            expect(sliced.audit.replays.filter(({ slice }) => slice).length).toBeGreaterThanOrEqual(2);
            expect(all.size).toBeGreaterThan(0.7 * gridColumns);
            expect(missed).toEqual([]);
        });
    } finally {
        await database.drop();
    }
});

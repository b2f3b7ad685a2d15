import { expect, test } from "vitest";
import { auditGrid } from "../leakage/audit-grid.ts";
import { withPipeline } from "../pipeline/reference/build-pipeline.ts";
import { simulateRoughWorld } from "../pipeline/reference/rough-world.ts";
import { createDatabase } from "../postgres-server.ts";

test("an audit on slices finds every column that leaks on the whole history", async () => {
    const database = await createDatabase("slices");
    try {
        const connection = await simulateRoughWorld(database.url, {
            seed: 37,
            races: 6000,
            today: "2025-03-02",
        });
        await withPipeline({ connection }, async ({ project, warehouse }) => {
            const { columns, sliced, whole, missed } = await auditGrid({
                project,
                warehouse,
                slice: 150,
                // Slices of so few count to less than the numbers of every model say: they are to show it by
                // themselves.
                readsQueries: false,
                seed: 1,
                // Of places that are alike one, and no lengths that a slice of so few does not count to;
                // bench/slices.ts takes all.
                only: "^grid_(?!rare_|rows|from_(?!half))",
            });
            process.stdout.write(
                `of ${columns} generated columns ${whole.size} leak on the whole history, ${whole.size - missed.length} of these on slices\n`,
            );
            expect(sliced.length).toBeGreaterThanOrEqual(2);
            expect(whole.size).toBeGreaterThan(0.5 * columns);
            expect(missed).toEqual([]);
        });
    } finally {
        await database.drop();
    }
});

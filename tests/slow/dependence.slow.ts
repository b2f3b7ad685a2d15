import { expect, it } from "vitest";
import { columnsMovedBy, measureDataset } from "../pipeline/measured-dependence.ts";

it("every source column, changed by itself, moves only columns whose tier may know it", async () => {
    const dependence = await measureDataset({ seed: 6, races: 900 });
    expect(dependence.violations).toEqual([]);
    expect(dependence.probes.length).toBeGreaterThan(25);
    const columns = dependence.models[0]!.columns;
    const market = columns.filter(({ tier }) => tier === "market").map(({ column }) => column);
    expect(columnsMovedBy(dependence, "race_results.win_odds", ["own", "event", "day"])).toEqual(market);
    // Keys and the size of the field are all that no single value moves.
    const still = columns.filter(({ dependsOn }) =>
        Object.values(dependsOn).every((names) => names.length === 0),
    );
    expect(still.length).toBeLessThan(columns.length / 10);
});

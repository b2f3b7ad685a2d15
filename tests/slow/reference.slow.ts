import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { check, hongKong } from "../pipeline/reference/check.ts";
import { checkRoughWorld } from "../pipeline/reference/rough-world.ts";
import { createDatabase } from "../postgres-server.ts";

it.each([29, 31])("a simulated world of seed %d has the values of the definitions", async (seed) => {
    const database = await createDatabase(`reference ${seed}`);
    try {
        const settings = { seed, races: 9000, today: "2025-03-02" };
        const checked = await checkRoughWorld(database.url, settings, { days: 4 });
        expect(checked.differences).toEqual([]);
        expect(checked.oneDefinition).toMatchObject({ differences: [] });
    } finally {
        await database.drop();
    }
});

if (!existsSync(hongKong)) console.info(`No races of Hong Kong in ${hongKong}: not compared.`);

it.skipIf(!existsSync(hongKong))("all races in Hong Kong have the values of the definitions", async () => {
    const checked = await check({ type: "files", path: hongKong }, { days: 4 });
    expect(checked.differences).toEqual([]);
    expect(checked.oneDefinition).toMatchObject({ differences: [] });
    expect(checked.rows).toBeGreaterThan(70_000);
});

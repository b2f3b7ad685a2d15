import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { type Checked, check, hongKong } from "./reference/check.ts";
import { checkRoughWorld } from "./reference/rough-world.ts";
import type { Starter } from "./reference/starters.ts";

// The datasets against plain TypeScript that computes every column anew from the source rows and, start by
// start, from the entity's history: written from the definitions, not from the models. Tracks, locations and
// surfaces are the pipeline's, since a seed decides them; so are classes and goings in words that the
// definitions do not name. The settings of ratings are the project's (docs/ratings.md).
// tests/slow/reference.slow.ts does the same with more races.

describe("the datasets of a simulated world", () => {
    let database: TestDatabase;
    let checked: Checked;

    beforeAll(async () => {
        database = await createDatabase("reference");
        checked = await checkRoughWorld(
            database.url,
            { seed: 11, races: 2000, today: "2024-06-03" },
            { days: 2 },
        );
    });
    afterAll(() => database?.drop());

    it("have the values of the definitions, row by row", () => {
        expect(checked.differences).toEqual([]);
        expect(checked.columns).toBeGreaterThan(100);
        expect(checked.rows).toBeGreaterThan(15_000);
    });

    it("say before a day, upcoming and as current form, what training says of it afterwards", () => {
        const { days, rows, differences } = checked.oneDefinition!;
        expect(differences).toEqual([]);
        expect(days).toHaveLength(2);
        const few = Object.entries(rows).filter(([, count]) => count < 30);
        expect([Object.keys(rows).length, few]).toEqual([6, []]);
    });

    it("contain what the definitions have to decide", () => {
        const { starters } = checked;
        const number = (test: (starter: Starter) => boolean) => starters.filter(test).length;
        expect(number(({ hasRun, position }) => hasRun && position === null)).toBeGreaterThan(50);
        expect(number(({ declared }) => (declared.position ?? 0) >= 50)).toBeGreaterThan(20);
        expect(number(({ declared }) => declared.horseNumber === null)).toBeGreaterThan(3);
        expect(number(({ hasRun }) => !hasRun)).toBeGreaterThan(100);
        expect(number(({ winOdds, hasRun }) => hasRun && winOdds === null)).toBeGreaterThan(0);
        expect(number(({ place }) => place.location === "HK")).toBeGreaterThan(1000);
        expect(number(({ race }) => race.metres === null)).toBeGreaterThan(20);
        expect(number(({ jockey }) => jockey === null)).toBeGreaterThan(0);
        const positions = new Set<string>();
        const stables = new Set<string>();
        const locations = new Map<string, Set<string>>();
        for (const { race, position, trainer, horseSlug, place } of starters) {
            if (position !== null) positions.add(`${race.raceId} ${position}`);
            stables.add(`${race.raceId} ${trainer}`);
            locations.set(horseSlug, (locations.get(horseSlug) ?? new Set()).add(place.location));
        }
        expect(number(({ position }) => position !== null) - positions.size).toBeGreaterThan(20);
        expect(starters.length - stables.size).toBeGreaterThan(1000);
        expect([...locations.values()].filter(({ size }) => size > 1).length).toBeGreaterThan(50);
        const own = number(({ classRating, condition }) => classRating.isOwn && condition.isOwn);
        expect(own / starters.length).toBeGreaterThan(0.7);
    });
});

if (!existsSync(hongKong)) console.info(`No races of Hong Kong in ${hongKong}: not compared.`);

describe("the datasets of races in Hong Kong", () => {
    it.skipIf(!existsSync(hongKong))(
        "have the values of the definitions, row by row, in the first years",
        { timeout: 180_000 },
        async () => {
            const checked = await check({ type: "files", path: hongKong }, { until: "1999-07-01", days: 2 });
            expect(checked.differences).toEqual([]);
            expect(checked.oneDefinition).toMatchObject({ differences: [] });
            expect(checked.rows).toBeGreaterThan(10_000);
        },
    );
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilesSource, PostgresSource } from "../../runner/extract/extract-sources.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import type { Project } from "../../runner/project/project.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { ensureWorld } from "../../sandbox/sandbox.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { root, withPipeline } from "./reference/build-pipeline.ts";
import { type Comparison, compare } from "./reference/compare.ts";
import { expectedRows } from "./reference/expected-rows.ts";
import type { RatingSettings } from "./reference/ratings.ts";
import { readSourceRows } from "./reference/source-rows.ts";
import { type Starter, startersOf } from "./reference/starters.ts";

// The dataset against plain TypeScript that computes every column anew from the source rows and, start by
// start, from the entity's history: written from the definitions, without a look at the models. Tracks,
// locations and surfaces are the pipeline's, since a seed decides them; so are classes and goings in words
// that the definitions do not name. The settings of ratings are the project's (docs/ratings.md).

interface Checked {
    readonly starters: readonly Starter[];
    readonly comparisons: readonly Comparison[];
}

async function check(connection: PostgresSource | FilesSource): Promise<Checked> {
    let checked: Checked | undefined;
    await withPipeline(connection, async (warehouse, project) => {
        const starters = startersOf(await readSourceRows(warehouse));
        const rows = expectedRows(starters, ratingSettings(project));
        const run = rows.filter(({ starter }) => starter.hasRun);
        const toCome = rows.filter(({ starter }) => !starter.hasRun);
        checked = {
            starters,
            comparisons: [
                await compare(warehouse, "main.race_training_dataset", run, ({ features, labels }) => [
                    ...features,
                    labels,
                ]),
                await compare(warehouse, "main.race_upcoming_dataset", toCome, ({ features }) => features),
                await compare(warehouse, "main.runners", rows, ({ starter }) => [
                    {
                        position_800m: starter.position800,
                        position_400m: starter.position400,
                        settle_pct: starter.settlePct,
                    },
                ]),
            ],
        };
    });
    return checked!;
}

function ratingSettings({ vars }: Project): RatingSettings {
    return {
        first: Number(vars.elo_first),
        transfer: Number(vars.elo_transfer),
        k: Number(vars.elo_k),
        boost: Number(vars.elo_boost),
        boostRaces: Number(vars.elo_boost_races),
        marginScale: Number(vars.elo_margin_scale),
        marginCap: Number(vars.elo_margin_cap),
    };
}

function differences({ comparisons }: Checked): readonly string[] {
    return comparisons.flatMap((comparison) => comparison.differences);
}

/** What the simulated world lacks: unknown people, gates and prices, and scratchings in other spellings. */
const roughen = `
    update race_results set jockey_slug = null, jockey = null where id % 401 = 0;
    update race_results set jockey_slug = '', jockey = ' ' where id % 403 = 0;
    update race_results set trainer_slug = null, trainer = null where id % 409 = 0;
    update race_results set win_odds = case when id % 2 = 0 then 1 when id % 3 = 0 then 0 end where id % 211 = 0;
    update race_results set barrier = null where id % 419 = 0;
    update race_results set margin = null where id % 113 = 0;
    update race_results set finish_status = 'Late scratched', position = null, margin = null where id % 499 = 0;
    update race_results set finish_status = ' scratched ' where position is null and id % 37 = 0;
    update races set race_distance = 800 where race_id % 83 = 0;
    update races set race_number = null where race_id % 89 = 0`;

describe("the datasets of a simulated world", () => {
    let database: TestDatabase;
    let checked: Checked;

    beforeAll(async () => {
        database = await createDatabase("reference");
        await withClient(database, prepareDatabase);
        await ensureWorld(database.url, { seed: 11, races: 2500, today: "2024-06-03" });
        await withClient(database, (client) => client.query(roughen));
        checked = await check({
            type: "postgres",
            url: database.url,
            schema: "public",
            connections: 3,
            timeBudgetSeconds: 60,
        });
    });
    afterAll(() => database?.drop());

    it("have the values of the definitions, row by row", () => {
        expect(differences(checked)).toEqual([]);
        const [training] = checked.comparisons;
        expect(training!.columns).toBeGreaterThan(80);
        expect(training!.rows).toBeGreaterThan(20_000);
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

const hongKong = process.env.HONGKONG_DATA ?? join(root, "../shared/data/hongkong");
if (!existsSync(hongKong)) console.info(`No races of Hong Kong in ${hongKong}: not compared.`);

describe("the datasets of races in Hong Kong, 1997 to 2005", () => {
    it.skipIf(!existsSync(hongKong))(
        "have the values of the definitions, row by row, where the races are at hand",
        { timeout: 180_000 },
        async () => {
            const checked = await check({ type: "files", path: hongKong });
            expect(differences(checked)).toEqual([]);
            expect(checked.comparisons[0]!.rows).toBeGreaterThan(70_000);
        },
    );
});

import { beforeAll, expect, test } from "vitest";
import type { Dependence } from "../../runner/testing/dependence/measure-dependence.ts";
import { columnsMovedBy, measureDataset } from "./measured-dependence.ts";

// The source columns that decide most; tests/slow/dependence.slow.ts changes every one of them.
const origins = {
    odds: "race_results.win_odds",
    place: "race_results.position",
    passings: "race_results.position_*m",
    time: "sectional_times.finish_time",
    barrier: "race_results.barrier",
};

let dependence: Dependence;
const ofTier = (tier: string) =>
    dependence.models[0]!.columns.filter((column) => column.tier === tier).map(({ column }) => column);

beforeAll(async () => {
    dependence = await measureDataset({ seed: 4, races: 400 }, Object.values(origins));
});

test("no column of the dataset moves with what its tier may not know", () => {
    expect(dependence.violations).toEqual([]);
    expect(dependence.probes).toHaveLength(Object.keys(origins).length);
});

test("the odds of a race move the columns of tier market, each of them, and no other of the race", () => {
    expect(columnsMovedBy(dependence, origins.odds, ["own", "event", "day"])).toEqual(ofTier("market"));
    expect(columnsMovedBy(dependence, origins.odds, ["earlier"])).toEqual(
        expect.arrayContaining(["past_odds_last", "past_market_probability_last"]),
    );
});

test("places and times of a race move its labels and nothing else of the race, and later days' history", () => {
    const own = [...columnsMovedBy(dependence, origins.place, ["own", "event"])];
    own.push(...columnsMovedBy(dependence, origins.time, ["own", "event"]));
    expect(own.filter((column) => !ofTier("label").includes(column))).toEqual([]);
    expect(own).toEqual(expect.arrayContaining(["final_position", "is_win", "beat_pct", "raw_time_seconds"]));
    expect(columnsMovedBy(dependence, origins.place, ["earlier"])).toEqual(
        expect.arrayContaining([
            "wins",
            "last_position",
            "horse_elo",
            "jockey_win_rate",
            "trainer_avg_position_50",
        ]),
    );
    expect(columnsMovedBy(dependence, origins.passings, ["earlier"])).toEqual(
        expect.arrayContaining(["avg_early_position_800m", "avg_mid_position_400m"]),
    );
});

test("the barrier of a starter moves what is declared of it", () => {
    expect(columnsMovedBy(dependence, origins.barrier, ["own"])).toEqual(
        expect.arrayContaining(["barrier", "barrier_position", "barrier_x_distance"]),
    );
});

import { beforeAll, expect, test } from "vitest";
import { edgeWorld, plainElo } from "./edge-world.ts";
import { withTinyWorld } from "./tiny-world.ts";

type Row = Readonly<Record<string, unknown>>;

// One build of a world by hand, whose edges the definitions have to decide.
const tables = {
    training: "select * from race_training_dataset",
    upcoming: "select * from race_upcoming_dataset",
    horses: "select * from horse_form_state",
    jockeys: "select * from jockey_form_state",
    pairs: "select * from jockey_horse_connection_state",
};
const rows: Record<keyof typeof tables, readonly Row[]> = {
    training: [],
    upcoming: [],
    horses: [],
    jockeys: [],
    pairs: [],
};

beforeAll(() =>
    withTinyWorld(
        edgeWorld,
        ["*"],
        async (warehouse) => {
            for (const [name, query] of Object.entries(tables))
                rows[name as keyof typeof tables] = await warehouse.rows(query);
        },
        plainElo,
    ),
);

function starter(race: number, horse: string, table: "training" | "upcoming" = "training"): Row {
    const found = rows[table].find((row) => Number(row.race_id) === race && row.horse_slug === horse);
    if (!found) throw new Error(`no ${horse} in race ${race}`);
    return found;
}

/** Columns of a row as told, numbers as float stores them. */
function expectValues(row: Row, expected: Readonly<Record<string, string | number | boolean | null>>): void {
    const rounded = (value: unknown) =>
        typeof value === "number" || typeof value === "bigint" ? Number(Number(value).toFixed(4)) : value;
    const found = Object.keys(expected).map((name) => [name, name in row ? rounded(row[name]) : "no column"]);
    expect(Object.fromEntries(found)).toEqual(
        Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, rounded(value)])),
    );
}

const expectation = (own: number, other: number) => 1 / (1 + 10 ** ((other - own) / 400));

test("a first starter has counts of 0, and nothing else that would need evidence", () => {
    const row = starter(1, "ada");
    expectValues(row, {
        total_races: 0,
        wins: 0,
        places: 0,
        is_first_timer: true,
        never_placed_flag: false,
        runs_last_60_days: 0,
        races_at_track: 0,
        races_at_distance: 0,
        jockey_total_rides: 0,
        jockey_horse_connection_races: 0,
        horse_elo: 1200,
        is_elo_default: true,
        elo_races_count: 0,
        running_style: "unknown",
        is_cross_region_horse: false,
        regions_before: 0,
        new_jockey_flag: true,
        has_recent_form: false,
    });
    const evidence = Object.keys(row).filter(
        (name) =>
            /percentage|_rate|^avg_|^last_|_score|_change|_shrunk|^prev_|^best_|_trend|_peak/.test(name) &&
            row[name] !== null,
    );
    expect(evidence).toEqual(["feature_maturity_score"]);
});

test("a horse with one start has rates of 0 or 1, and no spread, gap or style", () => {
    expectValues(starter(2, "ada"), {
        total_races: 1,
        wins: 1,
        win_percentage: 100,
        place_percentage: 100,
        days_since_last_race: 1,
        last_5_win_rate: 1,
        last_5_avg_position: 1,
        form_momentum: 1,
        avg_days_between_runs: null,
        consistency_score: null,
        last_5_beat_pct_slope: null,
        pos_volatility_800: null,
        running_style: "unknown",
        known_settle_runs: 1,
        class_change: 14,
        class_rise: 14,
        class_drop: 0,
        is_stepping_up: true,
        jockey_win_rate: 1,
        jockey_horse_connection_win_rate: 1,
        strong_jockey_connection: false,
    });
});

test("a field of two has an inner and an outer gate, a best and a worst", () => {
    expectValues(starter(1, "ada"), {
        total_runners: 2,
        barrier_position: "inner",
        market_probability: 1 / 1.5 / (1 / 1.5 + 1 / 3),
        overround: 0,
        odds_percentile_in_race: 1,
        is_favorite: true,
        beat_pct: 1,
    });
    expectValues(starter(1, "bea"), {
        barrier_position: "outer",
        odds_rank_in_race: 2,
        odds_percentile_in_race: 0,
        is_favorite: false,
        is_place: true,
        beat_pct: 0,
    });
    expectValues(starter(3, "ada"), { horse_elo: 1216 });
    expectValues(starter(3, "bea"), { horse_elo: 1184, days_since_last_race: 2, total_races: 1 });
});

test("who is scratched after the declaration does not start, and a field of one rates nobody", () => {
    expect(rows.training.filter(({ race_id }) => Number(race_id) === 2)).toHaveLength(1);
    expectValues(starter(2, "ada"), {
        total_runners: 1,
        barrier_position: null,
        barrier_x_total_runners: 2,
        running_style_x_barrier: null,
        market_probability: 1,
        odds_percentile_in_race: 1,
        elo_percentile_in_race: 1,
        elo_win_probability: 1,
        settle_vs_field_avg: null,
        is_win: true,
        beat_pct: null,
    });
    expectValues(starter(3, "ada"), { horse_elo: 1216, elo_races_count: 1, total_races: 2, wins: 2 });
    expectValues(rows.jockeys.find(({ jockey_slug }) => jockey_slug === "kit")!, { total_rides: 1 });
});

test("both of two winners won; who fell or carries a sentinel started and did not finish", () => {
    expectValues(starter(3, "bea"), { final_position: 1, is_win: true, beat_pct: 1, total_runners: 5 });
    expectValues(starter(3, "dan"), { final_position: 3, is_win: false, is_place: true, beat_pct: 0.5 });
    expectValues(starter(3, "fay"), {
        final_position: null,
        finish_status: "DNF",
        is_win: false,
        beat_pct: 0,
    });
    expectValues(starter(4, "bea"), {
        total_races: 2,
        wins: 1,
        last_5_avg_position: 1.5,
        horse_elo: 1184 + (32 / 2) * (0.5 - expectation(1184, 1216) + (1 - expectation(1184, 1200))),
    });
    expectValues(starter(4, "eve"), {
        total_races: 1,
        wins: 0,
        win_percentage: 0,
        never_placed_flag: true,
        last_position: null,
        last_5_avg_position: null,
        last_5_win_rate: 0,
        last_5_place_rate: 0,
        form_momentum: 0,
        has_winning_form: false,
        last_beat_pct: 0,
        horse_elo: 1200,
        elo_races_count: 0,
        is_elo_default: true,
    });
});

test("a race without prices has no market; with one price missing the others keep what does not need it", () => {
    const nothing = {
        odds_implied_probability: null,
        market_probability: null,
        overround: null,
        odds_rank_in_race: null,
        odds_percentile_in_race: null,
        is_favorite: null,
        is_longshot: null,
        elo_vs_odds_gap: null,
        form_vs_odds_gap: null,
        improving_longshot: null,
    };
    for (const horse of ["ada", "bea", "dan", "eve", "fay"]) expectValues(starter(3, horse), nothing);
    expectValues(starter(4, "fay"), nothing);
    const priced = [
        ["ada", 0.5, 1, 1],
        ["bea", 0.25, 2, 1 / 3],
        ["dan", 0.25, 2, 1 / 3],
        ["eve", 0.1, 4, 0],
    ] as const;
    for (const [horse, implied, rank, percentile] of priced)
        expectValues(starter(4, horse), {
            odds_implied_probability: implied,
            market_probability: null,
            odds_rank_in_race: rank,
            odds_percentile_in_race: percentile,
            is_favorite: rank === 1,
        });
});

test("an unknown distance or class is like no other, not even like another unknown one", () => {
    expectValues(starter(4, "ada"), {
        distance_range: null,
        races_at_distance: 0,
        distance_win_rate: null,
        has_won_at_distance: false,
        races_at_track_distance: 0,
        distance_change: null,
        jockey_distance_rides: 0,
        running_style_x_distance_bucket: null,
        barrier_x_distance: null,
        class_rating: 70,
        prev_class_rating: null,
        class_change: null,
        class_drop: null,
        is_stepping_up: null,
        best_class_won: 64,
        class_vs_best_won: 6,
    });
    expectValues(starter(30, "ada", "upcoming"), {
        class_rating: null,
        prev_class_rating: 70,
        class_change: null,
    });
});

test("a part that is unknown is no part, and never the smallest or the largest of several", () => {
    // The rail out by 6 m moves the second gate to the fence; where it is not known nothing can be said.
    expectValues(starter(1, "bea"), { rail_out_metres: 6, effective_barrier: 1 });
    expectValues(starter(3, "ada"), { rail_out_metres: null, effective_barrier: null });
    expectValues(starter(4, "fay"), { barrier: null, effective_barrier: null });
    // A gain from 800 to 400 m to go and one from there: bea's first is not known.
    expectValues(starter(4, "ada"), { sustained_run_score: 0.25, avg_improvement_from_400m: 1 });
    expectValues(starter(4, "bea"), { sustained_run_score: null, avg_improvement_from_400m: 1 });
});

test("a track of three spellings is one track, and settling is known without a distance", () => {
    expectValues(starter(4, "ada"), {
        races_at_track: 3,
        track_win_rate: 1,
        has_won_at_track: true,
        known_settle_runs: 2,
        expected_settle_pct: 0.25,
        running_style: "stalker",
        avg_early_position_800m: 5 / 3,
    });
});

test("a race that was never run is nobody's start, and stays to come", () => {
    expect(rows.training.filter(({ race_id }) => [5, 30].includes(Number(race_id)))).toEqual([]);
    expectValues(starter(5, "ada", "upcoming"), { total_races: 4, wins: 3, days_since_last_race: 1 });
    expectValues(starter(30, "ada", "upcoming"), {
        total_races: 4,
        total_runners: 2,
        days_since_last_race: 455,
        barrier_position: "inner",
        trainer_total_runners: 8,
        jockey_total_rides: 4,
    });
    expectValues(starter(30, "dan", "upcoming"), {
        barrier_position: "outer",
        jockey_slug: null,
        jockey_total_rides: 0,
        jockey_win_rate: null,
        new_jockey_flag: null,
        jockey_elo: null,
    });
});

test("a stable with five runners in one race learns nothing of the day from any of them", () => {
    for (const [race, horse] of [
        [6, "s1"],
        [6, "s5"],
        [7, "s6"],
        [7, "s7"],
    ] as const)
        expectValues(starter(race, horse), {
            trainer_total_runners: 0,
            trainer_win_rate: null,
            trainer_avg_position_50: null,
            trainer_elo: 1200,
            new_trainer_flag: true,
        });
    expectValues(starter(8, "s1"), {
        trainer_total_runners: 7,
        trainer_win_rate: 1 / 7,
        trainer_place_rate: 5 / 7,
        trainer_runners_30d: 7,
        trainer_avg_position_50: 20 / 7,
        trainer_days_since_last_runner: 1,
    });
});

test("a jockey with sixty rides on a weekend knows on Sunday the thirty of Saturday", () => {
    for (let number = 1; number <= 30; number++) {
        expectValues(starter(2000 - number, `r0-${number}`), {
            jockey_total_rides: 0,
            jockey_win_rate: null,
        });
        expectValues(starter(1900 - number, `r1-${number}`), {
            jockey_total_rides: 30,
            jockey_win_rate: 1 / 3,
            jockey_rides_30d: 30,
            jockey_last_20_win_rate: 0,
            jockey_last_50_win_rate: 1 / 3,
            jockey_avg_position_20: 2,
            jockey_avg_position_50: 5 / 3,
            jockey_days_since_last_ride: 1,
        });
    }
    // The latest by race number, not by race_id: Sunday's last twenty, and Saturday's from the eleventh on.
    expectValues(starter(3000, "j0"), {
        jockey_total_rides: 60,
        jockey_win_rate: 16 / 60,
        jockey_last_20_win_rate: 0,
        jockey_last_50_win_rate: 6 / 50,
        jockey_avg_position_20: 2,
        jockey_avg_position_50: 94 / 50,
    });
    expectValues(starter(3001, "j1"), { jockey_rides_30d: 61, jockey_win_rate_30d: 17 / 61 });
    expectValues(starter(3002, "j2"), { jockey_rides_30d: 32, jockey_rides_90d: 62 });
});

test("a horse that moves to another country starts anew there, with half of what it was worth", () => {
    expectValues(starter(10, "max"), {
        horse_location_slug: "max-AU",
        total_races: 0,
        is_first_timer: true,
        is_cross_region_horse: true,
        is_first_start_in_region: true,
        regions_before: 1,
        region_starts: 0,
        other_region_starts: 1,
        other_region_win_rate: 1,
        horse_elo: 1208,
        is_elo_default: true,
        jockey_total_rides: 2,
        jockey_horse_connection_races: 0,
    });
    expectValues(starter(12, "max"), { total_races: 1, wins: 0, regions_before: 2, elo_races_count: 1 });
    expect(Number(starter(12, "max").horse_elo)).toBeLessThan(1208);
});

test("a namesake in another country has a history of its own, and the latest start speaks in the current form", () => {
    expectValues(starter(11, "max"), {
        horse_location_slug: "max-HK",
        total_races: 1,
        win_percentage: 100,
        horse_elo: 1216,
        is_cross_region_horse: false,
        regions_before: 1,
    });
    expectValues(starter(12, "max"), { is_cross_region_horse: true, other_region_starts: 2 });
    expect(rows.horses.filter(({ horse_slug }) => horse_slug === "max")).toHaveLength(1);
    expectValues(rows.horses.find(({ horse_slug }) => horse_slug === "max")!, {
        total_races: 2,
        wins: 1,
        last_5_avg_position: 1.5,
        last_race_date: "2024-06-08",
    });
    expectValues(rows.jockeys.find(({ jockey_slug }) => jockey_slug === "jo")!, { total_rides: 4 });
    expectValues(
        rows.pairs.find(({ horse_slug, jockey_slug }) => horse_slug === "max" && jockey_slug === "jo")!,
        { connection_races: 2, connection_wins: 1, last_ride_together: "2024-06-08" },
    );
});

test("windows of days include their first day and end on the day before, across a leap day", () => {
    expectValues(starter(21, "leo"), {
        days_since_last_race: 60,
        runs_last_60_days: 1,
        has_recent_form: true,
    });
    expectValues(starter(22, "leo"), { runs_last_60_days: 1, runs_last_90_days: 2 });
    expectValues(starter(23, "leo"), { runs_last_60_days: 2, runs_last_90_days: 3 });
    expectValues(starter(24, "leo"), {
        runs_last_60_days: 3,
        runs_last_90_days: 3,
        avg_days_between_runs: 30,
    });
    expectValues(starter(25, "l4"), { jockey_rides_365d: 1, jockey_win_rate_365d: 1 });
    expectValues(starter(26, "l5"), { jockey_rides_365d: 1, jockey_total_rides: 2 });
});

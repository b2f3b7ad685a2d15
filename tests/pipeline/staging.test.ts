import { expect, test } from "vitest";
import type { CompiledAssertion } from "../../runner/compile/compiled.ts";
import { withTinyWorld } from "./tiny-world.ts";

const race = {
    race_id: 1,
    race_date: "2024-03-02",
    race_number: 1,
    track_name: "Randwick",
    race_distance: 1200,
};

/** What became of the rows of one race, by slug. */
function starters(race_results: readonly Record<string, string | number | null>[]) {
    const rows = race_results.map((row, index) => ({ id: index + 1, race_id: 1, ...row }));
    return withTinyWorld({ races: [race], race_results: rows }, ["+runners"], (warehouse) =>
        warehouse.rows(
            "select horse_slug, position, finish_status, total_runners, finishers from runners order by horse_slug",
        ),
    );
}

test("sentinels, codes of any case and places beside a fall are read as what they mean", async () => {
    expect(
        await starters([
            { horse_slug: "a", position: 1, finish_status: "Finished" },
            { horse_slug: "b", position: 99, finish_status: "FINISHED" },
            { horse_slug: "c", position: 3, finish_status: "fell" },
            { horse_slug: "d", position: 0, finish_status: "pulled up" },
            { horse_slug: "e", position: 2 },
            { horse_slug: "f", position: 49 },
        ]),
    ).toEqual([
        { horse_slug: "a", position: 1, finish_status: "FINISHED", total_runners: 6, finishers: 3 },
        { horse_slug: "b", position: null, finish_status: "DNF", total_runners: 6, finishers: 3 },
        { horse_slug: "c", position: null, finish_status: "FELL", total_runners: 6, finishers: 3 },
        { horse_slug: "d", position: null, finish_status: "PULLED_UP", total_runners: 6, finishers: 3 },
        { horse_slug: "e", position: 2, finish_status: "FINISHED", total_runners: 6, finishers: 3 },
        { horse_slug: "f", position: 49, finish_status: "FINISHED", total_runners: 6, finishers: 3 },
    ]);
});

test("scratched runners do not start, whatever stands beside the status", async () => {
    const rows = await starters([
        { horse_slug: "a", position: 1, finish_status: "FINISHED" },
        { horse_slug: "b", finish_status: "SCRATCHED" },
        { horse_slug: "c", position: 4, finish_status: "late scratched" },
    ]);
    expect(rows).toMatchObject([{ horse_slug: "a", total_runners: 1 }]);
});

test("of two rows for one horse the one written last counts, else the higher id", async () => {
    const rows = await starters([
        { horse_slug: "a", position: 1, updated_at: "2024-03-03 10:00:00+00" },
        { horse_slug: "a", position: 2, updated_at: "2024-03-02 10:00:00+00" },
        { horse_slug: "b", position: 5 },
        { horse_slug: "b", position: 6 },
    ]);
    expect(rows).toMatchObject([
        { horse_slug: "a", position: 1, total_runners: 2 },
        { horse_slug: "b", position: 6, total_runners: 2 },
    ]);
});

test("a missing slug is made from the name, entities and accents included", async () => {
    const rows = await starters([{ horse_name: "O&#39;Reilly&#39;s Épée (NZ)", position: 1 }]);
    expect(rows).toMatchObject([{ horse_slug: "oreillys-epee-nz" }]);
});

test("a race in which nobody has a place has not been run, and nothing in it is an outcome", async () => {
    await withTinyWorld(
        {
            races: [race],
            race_results: [
                { id: 1, race_id: 1, horse_slug: "a", position: 99, margin: 3, position_800m: 2 },
                { id: 2, race_id: 1, horse_slug: "b", finish_status: "FELL" },
            ],
        },
        ["+runners"],
        async (warehouse) => {
            const rows = await warehouse.rows(
                "select has_run, finish_status, margin, is_win, beat_pct, position_800m, finishers from runners",
            );
            const nothing = {
                has_run: false,
                finish_status: null,
                margin: null,
                is_win: null,
                beat_pct: null,
                position_800m: null,
                finishers: null,
            };
            expect(rows).toEqual([nothing, nothing]);
        },
    );
});

test("both of two winners won, and who did not finish has beaten nobody", async () => {
    await withTinyWorld(
        {
            races: [race],
            race_results: [
                { id: 1, race_id: 1, horse_slug: "a", position: 1, win_odds: 1.0, barrier: 0 },
                { id: 2, race_id: 1, horse_slug: "b", position: 1, win_odds: 2.5, barrier: 2 },
                { id: 3, race_id: 1, horse_slug: "c", position: 3, win_odds: 0, barrier: 3 },
                {
                    id: 4,
                    race_id: 1,
                    horse_slug: "d",
                    finish_status: "FELL",
                    barrier: 1,
                    original_weight: -1,
                },
            ],
        },
        ["+runners"],
        async (warehouse) => {
            expect(
                await warehouse.rows(
                    `select is_win, is_place, beat_pct, win_odds, barrier, barrier_position, weight, jockey_key
                     from runners order by horse_slug`,
                ),
            ).toMatchObject([
                { is_win: true, beat_pct: 1, win_odds: null, barrier: null, barrier_position: null },
                { is_win: true, beat_pct: 1, win_odds: 2.5, barrier_position: "inner" },
                { is_win: false, is_place: true, win_odds: null, barrier_position: "middle" },
                { is_win: false, is_place: false, beat_pct: 0, weight: null, jockey_key: null },
            ]);
        },
    );
});

test("positions to go come from the checkpoint rounded down, never from its neighbour", async () => {
    const races = [
        { ...race, race_id: 1, race_distance: 1650, track_name: "Happy Valley" },
        { ...race, race_id: 2, race_distance: 800 },
        { ...race, race_id: 3, race_distance: 1200 },
    ];
    const race_results = [
        { id: 1, race_id: 1, horse_slug: "a", horse_number: "1", position: 1, position_800m: 9 },
        {
            id: 2,
            race_id: 2,
            horse_slug: "a",
            horse_number: "01",
            position: 1,
            position_800m: 9,
            position_400m: 8,
        },
        { id: 3, race_id: 3, horse_slug: "a", horse_number: "1A", horse_name: "Al&amp;Co", position: 1 },
        {
            id: 4,
            race_id: 3,
            horse_slug: "b",
            horse_number: "",
            horse_name: "It's Me",
            position: 2,
            position_400m: 7,
        },
    ];
    const sectional_times = [
        { race_id: 1, horse_number: "1", position_800m: 5, position_1200m: 3, position_1000m: 11 },
        { race_id: 2, horse_number: "1", position_200m: 4, position_400m: 2 },
        // No checkpoint at 400 m: its neighbours at 200 m and 600 m must not speak for 800 m to go.
        {
            race_id: 3,
            horse_number: "1",
            horse_name: "Al & Co",
            position_200m: 6,
            position_600m: 6,
            position_800m: 5,
        },
        { race_id: 3, horse_number: "2", horse_name: "It&#39;s me", position_400m: 4 },
    ];
    await withTinyWorld({ races, race_results, sectional_times }, ["+runners"], async (warehouse) => {
        const rows = await warehouse.rows(
            `select race_id, horse_slug, position_800m, is_position_800m_timed, position_400m, is_position_400m_timed
             from runners order by race_id, horse_slug`,
        );
        expect(rows).toEqual([
            {
                race_id: 1n,
                horse_slug: "a",
                position_800m: 5,
                is_position_800m_timed: true,
                position_400m: 3,
                is_position_400m_timed: true,
            },
            {
                race_id: 2n,
                horse_slug: "a",
                position_800m: null,
                is_position_800m_timed: false,
                position_400m: 2,
                is_position_400m_timed: true,
            },
            {
                race_id: 3n,
                horse_slug: "a",
                position_800m: null,
                is_position_800m_timed: false,
                position_400m: 5,
                is_position_400m_timed: true,
            },
            {
                race_id: 3n,
                horse_slug: "b",
                position_800m: 4,
                is_position_800m_timed: true,
                position_400m: 7,
                is_position_400m_timed: false,
            },
        ]);
    });
});

test("a race with one priced starter expects one win of it, not a rounding error more", async () => {
    // 1/3 is rounded down in the sum that it is divided by.
    const race_results = [{ id: 1, race_id: 1, horse_slug: "a", position: 1, win_odds: 3 }];
    await withTinyWorld({ races: [race], race_results }, ["+expected_wins"], async (warehouse) => {
        const query = "select expected_win::varchar as expected_win from expected_wins";
        expect(await warehouse.rows(query)).toEqual([{ expected_win: "1.000000000000" }]);
    });
});

test("a race with a placeholder for a date is left out, with its runners", async () => {
    const dates = ["2024-02-29", "0001-01-01", "9999-12-31", "infinity"];
    const races = dates.map((race_date, index) => ({
        race_id: index + 1,
        race_date,
        race_number: 1,
        track_name: "Randwick",
        race_distance: 1200,
    }));
    const race_results = races.map(({ race_id }) => ({
        id: race_id,
        race_id,
        horse_slug: "ada",
        position: 1,
    }));
    await withTinyWorld({ races, race_results }, ["+runners"], async (warehouse) => {
        const rows = await warehouse.rows("select race_id, has_run from runners");
        expect(rows).toMatchObject([{ race_id: 1n, has_run: true }]);
    });
});

test("results of a day that has not come yet are pointed at", async () => {
    const races = ["2024-02-29", "2098-01-01"].map((race_date, index) => ({
        ...race,
        race_id: index + 1,
        race_date,
    }));
    const race_results = races.map(({ race_id }) => ({
        id: race_id,
        race_id,
        horse_slug: "ada",
        position: 1,
    }));
    await withTinyWorld({ races, race_results }, ["+runners"], async (warehouse, compiled) => {
        const assertion = compiled.nodes.get("source_results_of_the_future") as CompiledAssertion;
        expect(await warehouse.rows(assertion.sql)).toMatchObject([{ race_id: 2n, race_date: "2098-01-01" }]);
    });
});

import { expect, test } from "vitest";
import { withTinyWorld } from "./tiny-world.ts";

const day = (days: number) => new Date(Date.UTC(2024, 5, 1) - days * 86_400_000).toISOString().slice(0, 10);

/** One horse that ran so many days before the first of June, when it is declared again. */
function worldOf(daysBefore: readonly number[]) {
    const starts = [...daysBefore, 0];
    return {
        races: starts.map((days, index) => ({
            race_id: index + 1,
            race_date: day(days),
            track_name: "Randwick",
        })),
        race_results: starts.map((days, index) => ({
            id: index + 1,
            race_id: index + 1,
            horse_name: "Leo",
            horse_slug: "leo",
            position: days === 0 ? null : 1,
        })),
    };
}

test("recent runs of the current form begin 60 and 90 days before the day it is for", async () => {
    await withTinyWorld(worldOf([91, 90, 61, 60, 1]), ["+horse_form_state", "+career"], async (warehouse) => {
        const [form] = await warehouse.rows("select * from horse_form_state");
        expect(form).toMatchObject({ runs_last_60_days: 2, runs_last_90_days: 4 });
        const [next] = await warehouse.rows(
            "select * from career where race_date < 'infinity' order by race_date desc limit 1",
        );
        expect(next).toMatchObject({ runs_last_60_days: 2, runs_last_90_days: 4 });
    });
});

test("a time that no race takes is no time, and stops no run", async () => {
    const days = [9, 8, 7, 6, 5, 4, 3, 2];
    const world = worldOf(days);
    const races = world.races.map((race) => ({ ...race, race_distance: 1200, track_condition: "Good 4" }));
    const time = (index: number) => (index === 6 ? "900 years" : index === 7 ? "0 seconds" : "70 seconds");
    const sectional_times = days.map((_, index) => ({
        race_id: index + 1,
        horse_name: "Leo",
        cumulative_400m: index === 6 ? "800 years" : "24 seconds",
        finish_time: time(index),
    }));
    await withTinyWorld(
        { ...world, races, sectional_times },
        ["+speed", "+running_style"],
        async (warehouse) => {
            const rows = await warehouse.rows(
                "select raw_time_seconds from runners where has_run order by runner_id",
            );
            expect(rows.map((row) => row.raw_time_seconds)).toEqual([70, 70, 70, 70, 70, 70, null, null]);
            const [next] = await warehouse.rows("select * from speed order by race_date desc limit 1");
            expect(next).toMatchObject({ speed_figures_count: 1, avg_speed_figure: 100 });
        },
    );
});

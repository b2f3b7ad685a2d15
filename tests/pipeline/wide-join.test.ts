import { expect, test } from "vitest";
import { withTinyWorld } from "./tiny-world.ts";

const races = [1, 2].map((race_id) => ({
    race_id,
    race_date: `2024-03-0${race_id}`,
    race_number: 1,
    track_name: "Randwick",
    race_distance: 1200,
}));
const results = races.flatMap(({ race_id }) =>
    ["ada", "bea", "cleo"].map((horse_slug, index) => ({
        id: race_id * 10 + index,
        race_id,
        horse_slug,
        horse_name: horse_slug,
        position: index + 1,
    })),
);

test("families that lie in another order, or lack a row, stop the wide join and are named", async () => {
    await withTinyWorld({ races, race_results: results }, ["+race_training_dataset"], async (warehouse) => {
        const join = () => warehouse.rows("select horse_slug, win_odds, total_races from race_dataset");
        expect(await join()).toHaveLength(6);
        await warehouse.execute(
            "create or replace table market as select * from market order by runner_id desc",
        );
        await expect(join()).rejects.toThrow(/market is not in step.*order by runner_id/);
        await warehouse.execute(
            "create or replace table market as select * from market where runner_id < 6 order by runner_id",
        );
        await expect(join()).rejects.toThrow(/market is not in step/);
    });
});

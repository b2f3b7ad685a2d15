import { expect, test } from "vitest";
import type { CompiledProject } from "../../runner/compile/compiled.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { type TinyWorld, withTinyWorld } from "./tiny-world.ts";

/**
 * Six days of three races with four starters: riders with three rides a day, stables with two runners in one race,
 * and, on odd days, the same horses abroad.
 */
function busyWorld(): TinyWorld {
    const races = [];
    const race_results = [];
    for (let day = 0; day < 6; day++) {
        for (let number = 1; number <= 3; number++) {
            const race_id = day * 3 + number;
            races.push({
                race_id,
                race_date: `2024-0${1 + (day % 3)}-1${day}`,
                race_number: number,
                track_name: day % 2 === 0 ? "Randwick" : "Sha Tin",
                race_distance: 1200,
            });
            for (let gate = 1; gate <= 4; gate++) {
                const horse = (day + number * 2 + gate) % 9;
                race_results.push({
                    id: race_id * 10 + gate,
                    race_id,
                    horse_slug: `horse-${horse}`,
                    jockey_slug: `jockey-${gate % 3}`,
                    trainer_slug: `trainer-${gate % 2}`,
                    position: ((horse + number + day) % 4) + 1,
                    margin: (horse + number + day) % 4,
                });
            }
        }
    }
    return { races, race_results };
}

async function failures(warehouse: Warehouse, compiled: CompiledProject, assertion: string): Promise<number> {
    const node = compiled.nodes.get(assertion);
    if (node?.kind !== "assertion") throw new Error(`no assertion ${assertion}`);
    return (await warehouse.rows(node.sql)).length;
}

/** What a leak of the day itself would change, one for each assertion that must notice. */
const leaks = {
    leakage_career: "update career set wins = wins + 1 where total_races > 0",
    leakage_form: "update form set last_5_win_rate = last_5_win_rate + 0.2 where last_5_win_rate = 0",
    leakage_jockey: "update jockey set jockey_total_rides = jockey_total_rides + 1 where race_id = 18",
    leakage_jockey_latest: "update jockey set jockey_avg_position_20 = 1.5 where race_id = 18",
    leakage_trainer: "update trainer set trainer_win_rate_30d = 0.99 where race_id = 18",
    leakage_trainer_latest: "update trainer set trainer_avg_position_50 = null where race_id = 18",
    leakage_connections:
        "update connections set jockey_horse_connection_wins = jockey_horse_connection_wins + 1 where race_id = 18",
    ratings_are_frozen_for_the_day: "update horse_elo set horse_elo = horse_elo + 1 where race_id = 18",
    ratings_of_horses_by_pairs:
        "update horse_elo set horse_elo_after = horse_elo_after + 1 where race_id = 2",
    ratings_of_horses_begin: "update horse_elo set horse_elo = 1500 where race_id in (1, 4)",
} as const;

test("assertions that compute a history again pass on a busy world, and notice when it leaks", async () => {
    const models = [
        "career",
        "form",
        "jockey",
        "trainer",
        "connections",
        "horse_elo",
        "jockey_elo",
        "trainer_elo",
    ];
    await withTinyWorld(
        busyWorld(),
        models.map((model) => `+${model}`),
        async (warehouse, compiled) => {
            for (const assertion of Object.keys(leaks)) {
                expect([assertion, await failures(warehouse, compiled, assertion)]).toEqual([assertion, 0]);
            }
            for (const [assertion, leak] of Object.entries(leaks)) {
                await warehouse.execute(leak);
                expect([assertion, await failures(warehouse, compiled, assertion)]).not.toEqual([
                    assertion,
                    0,
                ]);
            }
        },
    );
});

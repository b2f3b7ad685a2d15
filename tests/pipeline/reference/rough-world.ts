import type { PostgresSource } from "../../../runner/extract/extraction.ts";
import { withClient } from "../../../runner/postgres/connect.ts";
import { prepareDatabase } from "../../../sandbox/load/schema.ts";
import { ensureWorld } from "../../../sandbox/sandbox.ts";
import type { WorldSettings } from "../../../sandbox/world/simulate.ts";
import { type Checked, type CheckOptions, check } from "./check.ts";

/** Simulates a world in the database, roughens it, and compares. */
export async function checkRoughWorld(
    url: string,
    settings: WorldSettings,
    options: CheckOptions = {},
): Promise<Checked> {
    return check(await simulateRoughWorld(url, settings), options);
}

/** A connection to a world that is as rough as real ones. */
export async function simulateRoughWorld(url: string, settings: WorldSettings): Promise<PostgresSource> {
    await withClient({ url }, prepareDatabase);
    await ensureWorld(url, settings);
    await withClient({ url }, (client) => client.query(roughen));
    return { type: "postgres", url, schema: "public", connections: 3, timeBudgetSeconds: 60 };
}

/** What the simulated world lacks: unknown people, gates and prices, other spellings, positions that are none. */
const roughen = `
    update race_results set jockey_slug = null, jockey = null where id % 401 = 0;
    update race_results set jockey_slug = '', jockey = ' ' where id % 403 = 0;
    update race_results set trainer_slug = null, trainer = null where id % 409 = 0;
    update race_results set win_odds = case when id % 2 = 0 then 1 when id % 3 = 0 then 0 end where id % 211 = 0;
    update race_results set barrier = null where id % 419 = 0;
    update race_results set margin = null where id % 113 = 0;
    update race_results set finish_status = 'Late scratched', position = null, margin = null where id % 499 = 0;
    update race_results set finish_status = ' scratched ' where position is null and id % 37 = 0;
    update race_results set position = 0 where id % 1501 = 0 and position is not null;
    update race_results set position_800m = 0 where id % 601 = 0 and position_800m is not null;
    update race_results set position_400m = 60 where id % 607 = 0 and position_400m is not null;
    update race_results set updated_at = null where id % 3 = 0;
    update race_results set horse_number = ' ' || horse_number || ' ' where id % 97 = 0;
    update sectional_times set horse_number = '' where race_id % 17 = 0;
    update sectional_times set position_400m = 0 where race_id % 19 = 0;
    update sectional_times set finish_time = interval '0' where race_id % 23 = 0 and horse_number = '3';
    update races set race_distance = 800 where race_id % 83 = 0;
    update races set race_number = null where race_id % 89 = 0`;

import { defineEloModel } from "../../macros/elo-model.ts";

/** One row per starter: the horse's rating in this location before and after the day of the race. */
export default defineEloModel({
    entity: "horse",
    keyColumn: "horse_key",
    groupColumn: "horse_slug_key",
    defaultColumn: "is_elo_default",
    racesColumn: "elo_races_count",
    vars: "elo",
});

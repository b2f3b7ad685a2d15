import { defineEloModel } from "../../macros/elo-model.ts";

/** One row per starter: the jockey's rating in this location before and after the day of the race. */
export default defineEloModel({
    entity: "jockey",
    keyColumn: "jockey_key",
    defaultColumn: "is_jockey_elo_default",
    racesColumn: "jockey_elo_races_count",
    vars: "jockey_elo",
});

import { defineEloModel } from "../../macros/elo-model.ts";

/** One row per starter: the trainer's rating in this location before and after the day of the race. */
export default defineEloModel({
    entity: "trainer",
    keyColumn: "trainer_key",
    defaultColumn: "is_trainer_elo_default",
    racesColumn: "trainer_elo_races_count",
    vars: "trainer_elo",
});

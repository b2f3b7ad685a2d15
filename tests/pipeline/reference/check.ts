import { join } from "node:path";
import type { FilesSource, PostgresSource } from "../../../runner/extract/extraction.ts";
import type { Project } from "../../../runner/project/project.ts";
import { root, withPipeline } from "./build-pipeline.ts";
import { compare, type Wanted } from "./compare.ts";
import { currentForms } from "./current-forms.ts";
import { type Columns, type ExpectedRow, expectedRows } from "./expected-rows.ts";
import { compareDefinitions, type OneDefinition } from "./one-definition.ts";
import type { RatingSettings } from "./ratings.ts";
import type { ShrinkageSettings } from "./shrinkage.ts";
import { readSourceRows } from "./source-rows.ts";
import { type Starter, startersOf } from "./starters.ts";

/** Real races, where they are at hand. */
export const hongKong = process.env.HONGKONG_DATA ?? join(root, "../shared/data/hongkong");

export interface Checked {
    readonly starters: readonly Starter[];
    /** Of the training dataset. */
    readonly rows: number;
    readonly columns: number;
    readonly differences: readonly string[];
    readonly oneDefinition?: OneDefinition;
}

export interface CheckOptions {
    readonly until?: string;
    /** Days on which training, upcoming and current form are compared with each other; default 0. */
    readonly days?: number;
}

/**
 * Builds the pipeline from the connection and compares what it says with the reference; `until` leaves out later races.
 */
export async function check(
    connection: PostgresSource | FilesSource,
    { days = 0, ...options }: CheckOptions = {},
): Promise<Checked> {
    return withPipeline({ connection, ...options }, async (pipeline) => {
        const { warehouse, project } = pipeline;
        const starters = startersOf(await readSourceRows(warehouse));
        const { rows, ratings } = expectedRows(starters, {
            rating: ratingSettings(project),
            shrinkage: shrinkageSettings(project),
        });
        const wanted = (
            chosen: readonly ExpectedRow[],
            columnsOf: (row: ExpectedRow) => readonly Columns[],
        ): readonly Wanted[] =>
            chosen.map((row) => ({
                key: [row.starter.race.raceId, row.starter.horseSlug],
                columns: columnsOf(row),
            }));
        const run = rows.filter(({ starter }) => starter.hasRun);
        const toCome = rows.filter(({ starter }) => !starter.hasRun);
        const key = ["race_id", "horse_slug"];
        const training = await compare(
            warehouse,
            "main.race_training_dataset",
            key,
            wanted(run, ({ features, labels }) => [...features, labels]),
        );
        const others = [
            await compare(
                warehouse,
                "main.race_upcoming_dataset",
                key,
                wanted(toCome, ({ features }) => features),
            ),
            await compare(
                warehouse,
                "main.runners",
                key,
                wanted(rows, ({ starter }) => [
                    {
                        position_800m: starter.position800,
                        position_400m: starter.position400,
                        settle_pct: starter.settlePct,
                    },
                ]),
            ),
        ];
        for (const { relation, key, rows } of currentForms(starters, ratings))
            others.push(await compare(warehouse, relation, key, rows));
        return {
            starters,
            rows: training.rows,
            columns: training.columns,
            differences: [training, ...others].flatMap(({ differences }) => differences),
            ...(days > 0 && { oneDefinition: await compareDefinitions(pipeline, days) }),
        };
    });
}

function shrinkageSettings({ vars }: Project): ShrinkageSettings {
    return {
        horseWins: Number(vars.horse_win_prior_starts),
        horsePlaces: Number(vars.horse_place_prior_starts),
        jockey: Number(vars.jockey_prior_rides),
        trainer: Number(vars.trainer_prior_runners),
        jockeyHorse: Number(vars.jockey_horse_prior_races),
        jockeyTrainer: Number(vars.jockey_trainer_prior_races),
        jockeyHorsePlaces: Number(vars.jockey_horse_place_prior_races),
        jockeyTrainerPlaces: Number(vars.jockey_trainer_place_prior_races),
        conditions: Number(vars.horse_conditions_prior_starts),
        jockeyRecent: Number(vars.jockey_recent_prior_rides),
        trainerRecent: Number(vars.trainer_recent_prior_runners),
    };
}

function ratingSettings({ vars }: Project): RatingSettings {
    return {
        first: Number(vars.elo_first),
        transfer: Number(vars.elo_transfer),
        k: Number(vars.elo_k),
        boost: Number(vars.elo_boost),
        boostRaces: Number(vars.elo_boost_races),
        marginScale: Number(vars.elo_margin_scale),
        marginCap: Number(vars.elo_margin_cap),
    };
}

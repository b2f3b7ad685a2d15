import { join } from "node:path";
import type { FilesSource, PostgresSource } from "../../../runner/extract/extraction.ts";
import type { Project } from "../../../runner/project/project.ts";
import { root, withPipeline } from "./build-pipeline.ts";
import { compare } from "./compare.ts";
import { expectedRows } from "./expected-rows.ts";
import type { RatingSettings } from "./ratings.ts";
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
}

/** Builds the pipeline from the connection and compares what it says with the reference; `until` leaves out later races. */
export async function check(
    connection: PostgresSource | FilesSource,
    options: { readonly until?: string } = {},
): Promise<Checked> {
    return withPipeline({ connection, ...options }, async (warehouse, project) => {
        const starters = startersOf(await readSourceRows(warehouse));
        const rows = expectedRows(starters, ratingSettings(project));
        const run = rows.filter(({ starter }) => starter.hasRun);
        const toCome = rows.filter(({ starter }) => !starter.hasRun);
        const training = await compare(
            warehouse,
            "main.race_training_dataset",
            run,
            ({ features, labels }) => [...features, labels],
        );
        const others = [
            await compare(warehouse, "main.race_upcoming_dataset", toCome, ({ features }) => features),
            await compare(warehouse, "main.runners", rows, ({ starter }) => [
                {
                    position_800m: starter.position800,
                    position_400m: starter.position400,
                    settle_pct: starter.settlePct,
                },
            ]),
        ];
        return {
            starters,
            rows: training.rows,
            columns: training.columns,
            differences: [training, ...others].flatMap(({ differences }) => differences),
        };
    });
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

import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";
import type { ShopModel } from "./build-fixture.ts";
import { asOfModel } from "./replay-fixture.ts";

const before =
    "(partition by horse order by race_date range between unbounded preceding and interval 1 day preceding)";

/** Models that know nothing of the day itself, suspicious as some look. */
export const clean: Readonly<Record<string, ShopModel>> = {
    wins_before: asOfModel(`count(*) filter (where place = 1) over ${before} as wins`),
    field_size: asOfModel("count(*) over (partition by race_id) as runners, weight, prize"),
    labelled: asOfModel(`place, count(place) over ${before} as starts`, {
        columns: [{ name: "place", tier: "label", description: "", tests: [] }],
    }),
    pace_before: asOfModel(`avg(seconds) over ${before} as pace`),
    from_leaf: asOfModel("wins_before.wins * 2 as twice", {
        refs: ["starters", "wins_before"],
        sql: "select race_id, horse, race_date, wins * 2 as twice from main.wins_before",
    }),
};

export interface Leak {
    readonly model: ShopModel;
    readonly column: string;
    /** Default: cut. */
    readonly by?: Perturbation;
    readonly kind?: string;
}

/** One way each of knowing what is not known yet. */
export const leaks: Readonly<Record<string, Leak>> = {
    "its own place": { model: asOfModel("place"), column: "place", kind: "own" },
    "its own place, when replaced": {
        model: asOfModel("place"),
        column: "place",
        by: "replaced",
        kind: "own",
    },
    "whether it finished": {
        model: asOfModel("place is not null as finished"),
        column: "finished",
        by: "removed",
        kind: "own",
    },
    "the field's size from finishers": {
        model: asOfModel("count(place) over (partition by race_id) as runners"),
        column: "runners",
        kind: "own",
    },
    "a frame of rows over the day": {
        model: asOfModel(
            "count(*) filter (where place = 1) over (partition by horse order by race_date, race_id rows between unbounded preceding and current row) as wins",
        ),
        column: "wins",
    },
    "another race of the day": {
        model: asOfModel(
            "coalesce(sum(place) over (partition by race_date), 0) - coalesce(sum(place) over (partition by race_id), 0) as places",
        ),
        column: "places",
        kind: "same-day",
    },
    "a mean over all days": {
        model: asOfModel("avg(place) over (partition by horse) as mean_place"),
        column: "mean_place",
    },
    "the place in the next race": {
        model: asOfModel("lead(place) over (partition by horse order by race_date, race_id) as next_place"),
        column: "next_place",
        by: "removed",
    },
    "the prize of the next race": {
        model: asOfModel("lead(prize) over (partition by horse order by race_date, race_id) as next_prize"),
        column: "next_prize",
        kind: "later",
    },
    "a time": { model: asOfModel("seconds"), column: "seconds", by: "replaced", kind: "own" },
    "whether it was timed": {
        model: asOfModel("seconds is not null as timed"),
        column: "timed",
        kind: "own",
    },
    "the order of rows in the table": {
        model: asOfModel("row_number() over (partition by race_id order by id) as number"),
        column: "number",
        by: "reordered",
        kind: "order",
    },
    "its own place, by a number": {
        model: asOfModel("place", {
            grain: ["number"],
            sql: "select row_number() over (order by race_id, horse) as number, race_id, race_date, place from main.starters where race_id <= 11",
        }),
        column: "place",
        kind: "own",
    },
    "the date of today": {
        model: asOfModel("(current_date - race_date)::integer as days_ago"),
        column: "days_ago",
        kind: "clock",
    },
    "the time of now, in a view": {
        model: asOfModel("now() > race_date::timestamptz + interval 1 day as is_past", {
            materialized: "view",
        }),
        column: "is_past",
        by: "removed",
        kind: "clock",
    },
    "when the row was written": {
        model: asOfModel("updated_at::date - race_date as age", {
            sql: "select race_id, horse, race_date, (updated_at::date - race_date) as age from main.starters inner join sources.races using (race_id, race_date)",
            sources: ["races"],
        }),
        column: "age",
        by: "removed",
    },
};

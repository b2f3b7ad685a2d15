import { describe, expect, test } from "vitest";
import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";
import { perturbations } from "../../runner/testing/replay/perturbation.ts";
import type { ModelReplay } from "../../runner/testing/replay/replay.ts";
import type { ShopModel } from "./build-fixture.ts";
import { asOfModel, replayTiny } from "./replay-fixture.ts";

const before =
    "(partition by horse order by race_date range between unbounded preceding and interval 1 day preceding)";

/** Models that know nothing of the day itself, suspicious as some look. */
const clean: Readonly<Record<string, ShopModel>> = {
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

describe("a model that knows nothing of the day", () => {
    test.each(perturbations)("passes when its sources are %s", async (perturbation) => {
        for (const day of ["2024-03-01", "2024-03-06", "2024-03-10", "2024-03-11"]) {
            const { models, passed } = await replayTiny(clean, { perturbation, day });
            expect(models.filter(({ columns, failure }) => columns.length > 0 || failure)).toEqual([]);
            expect(passed).toBe(true);
            expect(models.map(({ model }) => model)).toEqual(Object.keys(clean));
        }
    });
});

interface Leak {
    readonly model: ShopModel;
    readonly column: string;
    /** Default: cut. */
    readonly by?: Perturbation;
    readonly kind?: string;
}

const leaks: Readonly<Record<string, Leak>> = {
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

const found = (models: readonly ModelReplay[], name: string) => models.find(({ model }) => model === name);

describe("a model that leaks", () => {
    test.each(Object.entries(leaks))("%s is caught", async (_, { model, column, by = "cut", kind }) => {
        const { models, passed } = await replayTiny(
            { ...clean, model },
            { perturbation: by, traceSeconds: 20 },
        );
        expect(passed).toBe(false);
        const leaky = found(models, "model")!;
        expect(leaky.columns.map((one) => one.column)).toEqual([column]);
        expect(leaky.columns[0]!.rows).toBeGreaterThan(0);
        expect(leaky.example).toMatchObject({ column });
        expect(leaky.example!.full).not.toBe(leaky.example!.replayed);
        if (kind) expect(leaky.origin).toMatchObject(kind === "clock" ? { kind } : { kind, source: "races" });
        expect(models.filter(({ columns }) => columns.length > 0)).toHaveLength(1);
    });
});

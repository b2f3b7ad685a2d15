import { describe, expect, test } from "vitest";
import { perturbations } from "../../runner/testing/replay/perturbation.ts";
import type { ModelReplay } from "../../runner/testing/replay/replay.ts";
import type { ShopModel } from "./build-fixture.ts";
import { asOfModel, replayTiny } from "./replay-fixture.ts";
import { clean, leaks } from "./replay-models.ts";

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
        const isOfEvent = kind !== "clock" && kind !== "order";
        if (kind) expect(leaky.origin).toMatchObject({ kind, ...(isOfEvent && { source: "races" }) });
        expect(models.filter(({ columns }) => columns.length > 0)).toHaveLength(1);
    });

    // What makes a replay cheap must not make it blind: cutting later events off in place of removing outcomes ...
    test.each(Object.entries(leaks).filter(([, { by }]) => by === "removed" || by === "replaced"))(
        "%s is caught by cutting, too",
        async (_, { model, column }) => {
            const { models } = await replayTiny({ model }, { perturbation: "cut" });
            expect(found(models, "model")!.columns.map((one) => one.column)).toEqual([column]);
        },
    );

    // ... and no day need be cut that is reordered: it tells the day's and later results from a tie ...
    test.each(Object.entries(leaks).filter(([, { by = "cut" }]) => by === "cut"))(
        "%s is caught by reordering, too",
        async (_, { model, column, kind }) => {
            const options = { perturbation: "reordered", traceSeconds: 20 } as const;
            const leaky = found((await replayTiny({ model }, options)).models, "model")!;
            expect(leaky.columns.map((one) => one.column)).toEqual([column]);
            expect(leaky.origin).toMatchObject(
                kind ? { kind } : { kind: expect.not.stringMatching("order") },
            );
        },
    );

    // ... comparing a leaf straight from its query, and dropping tables that all have read ...
    test("is caught where others read it, and so are they", async () => {
        const { models } = await replayTiny({
            first: asOfModel("place"),
            second: asOfModel("place as copied", {
                refs: ["first"],
                sql: "select race_id, horse, race_date, place as copied from main.first",
            }),
            view: asOfModel("", {
                refs: ["second"],
                materialized: "view",
                sql: "select race_id, horse, race_date, copied + 1 as one_more from main.second",
            }),
            innocent: asOfModel("weight", {
                refs: ["view"],
                sql: "select view.race_id, view.horse, view.race_date, 1 as one from main.view as view",
            }),
        });
        expect(models.map(({ model, columns }) => `${model} ${columns.map(({ column }) => column)}`)).toEqual(
            ["first place", "second copied", "view one_more", "innocent "],
        );
    });

    // ... and telling rows apart by one sum a day.
    test.each([
        ["integer", "1", "2"],
        ["integer", "1", "null"],
        ["varchar", "'a'", "'b'"],
        ["boolean", "true", "null"],
        ["double", "0.1", "0.1 + 1e-16::double"],
        ["decimal(18,6)", "1.000001", "1.000002"],
        ["enum('a', 'b')", "'a'", "'b'"],
        ["integer[]", "[1, 2]", "[1, null]"],
        ["interval", "interval 1 day", "interval 2 day"],
    ])("is caught by one value of type %s, %s in place of %s", async (type, one, other) => {
        const value = `case when place = 1 and race_id = 3 then ${one} else ${other} end`;
        const { models } = await replayTiny(
            { model: asOfModel(`(${value})::${type} as value`) },
            { day: "2024-03-02" },
        );
        const [leaky] = models;
        const [equal] = await replayTiny(
            { model: asOfModel(`(${other})::${type} as value`) },
            { day: "2024-03-02" },
        ).then((replayed) => replayed.models);
        expect(equal!.columns).toEqual([]);
        expect(leaky!.columns).toEqual([{ column: "value", rows: 1 }]);
    });

    test("is caught by rows that come or go with the results", async () => {
        const finished = asOfModel("weight", {
            sql: "select race_id, horse, race_date, weight from main.starters where place is not null",
        });
        const pending = asOfModel("weight", {
            sql: "select race_id, horse, race_date, weight from main.starters where place is null",
        });
        const { models } = await replayTiny({ finished, pending });
        expect(found(models, "finished")).toMatchObject({ missing: 8, extra: 0 });
        expect(found(models, "pending")).toMatchObject({ missing: 0, extra: 8 });
        expect(found(models, "finished")!.example).toMatchObject({ day: "2024-03-06", replayed: null });
    });

    test("is caught without a grain, as rows", async () => {
        const { models } = await replayTiny({ model: asOfModel("place", { grain: [] }) });
        expect(models[0]).toMatchObject({ missing: 8, extra: 8 });
    });

    test("is told when it cannot be made on that morning, with what depends on it", async () => {
        const { models, passed } = await replayTiny({
            model: asOfModel(
                "case when place is null and race_id = 10 then error('no place') else 1 end as one",
            ),
            reader: asOfModel("", {
                refs: ["model"],
                sql: "select race_id, horse, race_date, one from main.model",
            }),
        });
        expect(passed).toBe(false);
        expect(found(models, "model")!.failure).toContain("no place");
        expect(found(models, "reader")!.failure).toBe("not made, because model failed");
    });
});

describe("what is declared", () => {
    const label = { name: "place", tier: "label", description: "", tests: [] };

    test("a label is free on its day, and held to the days before", async () => {
        const columns = [label];
        const { passed } = await replayTiny({ model: asOfModel("place", { columns }) });
        expect(passed).toBe(true);
        const { models } = await replayTiny({
            model: asOfModel("lead(place) over (partition by horse order by race_date, race_id) as place", {
                columns,
            }),
        });
        expect(models[0]!.columns.map(({ column }) => column)).toEqual(["place"]);
    });

    test("rows that move on with their outcomes are found where they stood before", async () => {
        const run = (weight: string): Readonly<Record<string, ShopModel>> => ({
            upcoming: asOfModel(`${weight} as carried`, {
                sql: `select race_id, horse, race_date, ${weight} as carried from main.starters where place is null`,
            }),
            trained: asOfModel("", {
                movesFrom: "upcoming",
                columns: [label],
                sql: `select race_id, horse, race_date, ${weight} as carried, place from main.starters where place is not null`,
            }),
        });
        for (const perturbation of perturbations) {
            const { models } = await replayTiny(run("weight"), { perturbation });
            expect(
                models.filter(({ columns, missing, extra }) => columns.length + missing + extra > 0),
            ).toEqual([]);
        }
        const { models } = await replayTiny(run("case when place is null then 0 else weight end"));
        expect(found(models, "trained")!.columns).toEqual([{ column: "carried", rows: 8 }]);
        expect(found(models, "upcoming")!.columns).toEqual([]);
    });

    test("a surrogate of a model is not compared", async () => {
        const number = { name: "number", surrogate: true, description: "", tests: [] };
        const model = asOfModel("row_number() over (order by race_id desc, horse) as number");
        const told = { ...model, columns: [number] };
        expect((await replayTiny({ model })).passed).toBe(false);
        expect((await replayTiny({ model: told })).passed).toBe(true);
    });

    test("of versions of one thing the higher surrogate may win, and decides nothing else", async () => {
        const twice =
            "insert into sources.entries select id + 100, race_id, horse, weight + 1, place, status from sources.entries where weight = 51";
        const latest = asOfModel("", {
            sql: "select race_id, horse, race_date, weight from main.starters qualify row_number() over (partition by race_id, horse order by id desc) = 1",
        });
        for (const seed of [1, 2, 3]) {
            const options = { perturbation: "reordered", seed, change: [twice] } as const;
            expect((await replayTiny({ latest }, options)).passed).toBe(true);
            const first = asOfModel("", {
                sql: "select race_id, horse, race_date, weight from main.starters qualify row_number() over (partition by race_id order by id) = 1",
            });
            expect((await replayTiny({ first }, options)).passed).toBe(false);
        }
    });

    test("a value known before stays, whatever becomes of the outcomes around it", async () => {
        const model = asOfModel("", {
            sources: ["entries", "races"],
            sql: "select race_id, horse, race_date, status = 'SCRATCHED' as is_scratched from sources.entries inner join sources.races using (race_id) where status is null or status = 'SCRATCHED' or status = 'FINISHED'",
        });
        const scratched = asOfModel("", {
            sources: ["entries", "races"],
            sql: "select race_id, horse, race_date, coalesce(status = 'SCRATCHED', false) as is_scratched from sources.entries inner join sources.races using (race_id)",
        });
        for (const perturbation of perturbations) {
            expect((await replayTiny({ scratched }, { perturbation, day: "2024-03-04" })).passed).toBe(true);
            expect((await replayTiny({ model }, { perturbation, day: "2024-03-04" })).passed).toBe(false);
        }
    });

    test("a model made of what belongs to no event is not replayed", async () => {
        const { models } = await replayTiny({
            born: asOfModel("", {
                refs: [],
                sources: ["horses"],
                sql: "select horse, make_date(born, 1, 1) as race_date from sources.horses",
            }),
            through: { materialized: "ephemeral", refs: ["starters"], sql: "select * from main.starters" },
            reader: asOfModel("weight", { refs: ["through"] }),
        });
        expect(models.map(({ model }) => model)).toEqual(["reader"]);
    });
});

import { expect, test } from "vitest";
import type { CompiledModel } from "../../runner/compile/compiled.ts";
import type { ModelColumn } from "../../runner/project/project.ts";
import { describeDependence } from "../../runner/testing/dependence/dependence-report.ts";
import { forbiddenFlow } from "../../runner/testing/dependence/flows.ts";
import { type Dependence, measureDependence } from "../../runner/testing/dependence/measure-dependence.ts";
import { shopProject } from "./build-fixture.ts";
import { asOfModel, starters, tinySources, withTinyBuild } from "./replay-fixture.ts";

/** Weights play the prices: a tier of their own, which others may not know. */
const sources = tinySources.map((source) => ({
    ...source,
    columns: source.columns.map((column) =>
        column.name === "weight" ? { ...column, tier: "price" } : column,
    ),
}));

const before =
    "over (partition by horse order by race_date range between unbounded preceding and interval 1 day preceding)";

/** Columns by name: their tier, and their SQL. */
type Columns = Readonly<Record<string, readonly [tier: string, sql: string]>>;

function measure(
    columns: Columns,
    options: { readonly origins?: readonly string[] } = {},
): Promise<Dependence> {
    const declared = Object.entries(columns).map(
        ([name, [tier]]): ModelColumn => ({ name, tier, description: "", tests: [] }),
    );
    const list = Object.entries(columns).map(([name, [, sql]]) => `${sql} as ${name}`);
    const models = { starters, form: asOfModel(list.join(", "), { columns: declared }) };
    return withTinyBuild(models, [], (warehouse, compiled) =>
        measureDependence({
            project: { ...shopProject("/nowhere"), sources },
            compiled,
            warehouse,
            models: [compiled.nodes.get("form") as CompiledModel],
            events: 100,
            signal: new AbortController().signal,
            ...options,
        }),
    );
}

const clean: Columns = {
    horse_of_race: ["key", "horse || race_id"],
    prize: ["declared", "prize"],
    field_size: ["declared", "count(*) over (partition by race_id)"],
    price: ["price", "weight"],
    price_rank: ["price", "rank() over (partition by race_id order by weight)"],
    price_and_form: ["price", `weight * sum(place) ${before}`],
    place: ["label", "place"],
    beaten: ["label", "count(place) over (partition by race_id) - place"],
    mean_place: ["history", `avg(place) ${before}`],
    past_price: ["history", `avg(weight) ${before}`],
    mean_seconds: ["history", `avg(seconds) ${before}`],
};

test("each column is told with what it moves: its row, its event, its day, and earlier days", async () => {
    const { models, violations, probes, skipped } = await measure(clean);
    expect(violations).toEqual([]);
    const dependsOn = Object.fromEntries(models[0]!.columns.map((one) => [one.column, one.dependsOn]));
    const nothing = { own: [], event: [], day: [], earlier: [], later: [] };
    const [prize, price, place] = [["races.prize"], ["entries.weight"], ["entries.place"]];
    expect(dependsOn).toEqual({
        horse_of_race: nothing,
        prize: { ...nothing, own: prize },
        field_size: nothing,
        price: { ...nothing, own: price },
        price_rank: { ...nothing, own: price, event: price },
        price_and_form: { ...nothing, own: price, earlier: place },
        place: { ...nothing, own: place },
        beaten: { ...nothing, own: place, event: place },
        mean_place: { ...nothing, earlier: place },
        past_price: { ...nothing, earlier: price },
        mean_seconds: { ...nothing, earlier: ["times.*", "times.seconds"] },
    });
    expect(probes).toEqual([
        "races.prize",
        "entries.weight",
        "entries.place",
        "entries.status",
        "times.*",
        "times.seconds",
    ]);
    expect(skipped.map(({ name }) => name)).toContain("entries.id");
    expect(skipped).toContainEqual({ name: "horses.*", why: "its rows belong to no race_id" });
});

test("what a tier forbids is found, with the rows, the reason and an example", async () => {
    const leaky: Columns = {
        declared_place: ["declared", `avg(place) ${before}`],
        own_place: ["history", `coalesce(avg(place) ${before}, 0) + place`],
        field_places: ["history", "sum(place) over (partition by race_id) - coalesce(place, 0)"],
        day_places: [
            "history",
            "sum(place) over (partition by race_date) - coalesce(sum(place) over (partition by race_id), 0)",
        ],
        later_places: [
            "history",
            "sum(place) over (order by race_date range between interval 1 day following and unbounded following)",
        ],
        was_timed: ["field", "seconds is not null"],
        price_in_form: ["history", "weight"],
        price_of_field: ["field", "sum(weight) over (partition by race_id)"],
        day_in_label: ["label", "place + sum(place) over (partition by race_date)"],
    };
    const dependence = await measure(leaky);
    const found = dependence.violations.map(({ column, origin, scope }) => `${column} ${origin} ${scope}`);
    expect(found).toEqual(
        expect.arrayContaining([
            "price_in_form entries.weight own",
            "price_of_field entries.weight own",
            "price_of_field entries.weight event",
            "declared_place entries.place earlier",
            "own_place entries.place own",
            "field_places entries.place event",
            "day_places entries.place day",
            "later_places entries.place later",
            "day_in_label entries.place day",
            "was_timed times.* own",
        ]),
    );
    expect(new Set(dependence.violations.map(({ column }) => column))).toEqual(new Set(Object.keys(leaky)));
    const own = dependence.violations.find(({ column }) => column === "own_place")!;
    expect(own).toMatchObject({ tier: "history", why: "only label may know outcomes of its own event" });
    expect(own.example?.before).not.toBe(own.example?.after);
    const text = describeDependence(dependence, ["own_place"]);
    expect(text).toMatch(
        /form\.own_place \(history\) moves with entries\.place of this row: only label may know/,
    );
    expect(text).toMatch(/such as race_id=\d+, horse=h\d: \S+ became \S+/);
});

test("one source column can be asked for, and one that cannot be changed names those that can", async () => {
    const { probes } = await measure(clean, { origins: ["entries.weight"] });
    expect(probes).toEqual(["entries.weight"]);
    await expect(measure(clean, { origins: ["entries.wight"] })).rejects.toThrow(
        "named entries.wight; there are races.prize, entries.weight,",
    );
});

test.each([
    ["history", { isOutcome: true }, "earlier", true],
    ["history", { isOutcome: true }, "own", false],
    ["history", { isOutcome: false }, "day", true],
    ["history", { isOutcome: false }, "later", false],
    ["label", { isOutcome: true }, "event", true],
    ["label", { isOutcome: true }, "day", false],
    ["declared", { isOutcome: true }, "earlier", false],
    ["declared", { isOutcome: false }, "own", true],
    ["market", { isOutcome: false, tier: "market" }, "event", true],
    ["history", { isOutcome: false, tier: "market" }, "event", false],
    ["history", { isOutcome: false, tier: "market" }, "earlier", true],
    ["label", { isOutcome: false, tier: "market" }, "own", false],
] as const)("%s with %j of scope %s: %s", (tier, origin, scope, isAllowed) => {
    expect(forbiddenFlow(tier, { name: "source.column", ...origin }, scope) === undefined).toBe(isAllowed);
});

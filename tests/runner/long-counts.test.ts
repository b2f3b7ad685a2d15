import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { longCounts } from "../../runner/testing/replay/slices/long-counts.ts";
import { compiledShop, type ShopModel } from "./build-fixture.ts";
import { tinySources } from "./replay-fixture.ts";
import { withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

const asOf = { asOf: "day" } as const;

/** What each model may tell a long history by, with numbers between 2,250 and 500,000. */
async function limitsOf(
    models: Readonly<Record<string, ShopModel>>,
    {
        statements = [],
        files = {},
    }: { statements?: readonly string[]; files?: Readonly<Record<string, string>> } = {},
): Promise<Readonly<Record<string, string>>> {
    return withTemporaryDirectory(async (root) => {
        for (const folder of ["models", "macros"]) await mkdir(join(root, folder));
        for (const [file, text] of Object.entries(files)) await writeFile(join(root, file), text);
        return withMemoryWarehouse(async (warehouse) => {
            for (const statement of statements) await warehouse.execute(statement);
            const compiled = compiledShop(models);
            const found = await longCounts({
                warehouse,
                compiled,
                sources: tinySources,
                root,
                names: undefined,
                beyond: 2250,
                upTo: 500_000,
            });
            return Object.fromEntries(found.map(({ model, limit }) => [model, limit]));
        });
    });
}

const select = (expression: string, more: ShopModel = {}): ShopModel => ({
    ...asOf,
    sql: `select day, ${expression} as value from main.starts`,
    ...more,
});

const unreadable = "a query that cannot be looked into";

describe("numbers that no slice counts to", () => {
    test.each([
        ["count(*) over () > 5000", "5000"],
        ["5_000 <= count(*) over ()", "5000"],
        ["case when rank = 5e3 then 1 end", "5000"],
        ["rank not in (1, 2, 5000)", "5000"],
        ["rank between 1 and 50 * 100", "5000"],
        ["rank > 10 ** 4 // 2", "5000"],
        ["rank > -(-4_000 - 1000)", "5000"],
        ["rank > '5000'::integer", "5000"],
        ["rank > cast(5000.5 as decimal(8, 2))", "5000.5"],
        ["sum(rank) over (order by day rows between 5000 preceding and 1 preceding)", "5000"],
        [
            "sum(rank) over (order by day range between interval 5000 day preceding and interval 1 day preceding)",
            "5000",
        ],
        ["lag(rank, 5000) over (order by day)", "5000"],
        ["least(rank, 5000)", "5000"],
        ["rank // 5000 > 0", "5000"],
        ["(select max(n) from (select 50 * 100 as n))", "5000"],
        ["list_max(list_transform([rank], x -> x - 5000))", "5000"],
    ])("are found in %s", async (expression, limit) => {
        expect(await limitsOf({ counting: select(expression) })).toEqual({ counting: limit });
    });

    test.each([
        "rank > 2250",
        "rank > 10000 / 1000",
        "rank > 600_000",
        "rank > length('more than 5000')",
        "day > date '2024-05-05'",
        "rank_5000 > 1 -- 5000",
    ])("are not those of %s", async (expression) => {
        expect(await limitsOf({ short: select(expression) })).toEqual({});
    });

    test("may stand in a limit of rows", async () => {
        const limited = { ...asOf, sql: "select day from main.starts order by day desc limit 5000" };
        expect(await limitsOf({ limited })).toEqual({ limited: "5000" });
    });

    test("may stand in a macro, or in one that it calls", async () => {
        const statements = [
            "create macro is_long(n) as n > 50 * 100",
            "create macro is_known(n) as n > 5 and is_long(n)",
            "create macro long_ones(n) as table select range as rank from range(n) where range > 6000",
            "create macro half(n) as n / 2",
        ];
        const models = {
            called: select("is_known(rank)"),
            table: { ...asOf, sql: "select day from main.starts, long_ones(10)" },
            other: select("half(rank)"),
        };
        expect(await limitsOf(models, { statements })).toEqual({ called: "5000", table: "6000" });
    });

    test("may stand in a seed, or in a model that is not compared itself", async () => {
        const statements = [
            "create table limits as select 'rank' as name, 5000::bigint as value",
            "create table names as select '5000' as name, 12 as value",
        ];
        const models: Readonly<Record<string, ShopModel>> = {
            limits: { kind: "seed", file: "seeds/limits.csv" },
            names: { kind: "seed", file: "seeds/names.csv" },
            totals: { sql: "select day, count(*) > 7000 as is_long from main.starts group by all" },
            compared: select("rank > 8000"),
            by_seed: select("rank", { refs: ["limits"] }),
            by_name: select("rank", { refs: ["names"] }),
            by_total: select("rank", { refs: ["names", "by_seed", "totals"] }),
            // What it is made from is compared itself, and replayed whole.
            by_compared: select("rank", { refs: ["compared"] }),
        };
        expect(await limitsOf(models, { statements })).toEqual({
            compared: "8000",
            by_seed: "5000",
            by_total: "7000",
        });
    });

    test("may stand in a model in TypeScript, or in a module that it imports", async () => {
        const files = {
            "models/script.ts": "// not 6000\nexport default ({ rows }) => rows.length > 5_000;",
            "models/other.ts":
                'import { isLong } from "../macros/lengths.ts";\nimport { x } from "../runner/missing.ts";',
            "macros/lengths.ts": "export const isLong = (n: number) => n > 7e3;",
            "models/short.ts": "export default ({ rows }) => rows.length > 50;",
        };
        const script = (name: string): ShopModel => ({
            asOf: "day",
            acceptedLint: { "history-length": "the same for many" },
            file: `models/${name}.ts`,
        });
        const models = {
            script: script("script"),
            other: script("other"),
            short: script("short"),
            silent: { ...script("short"), acceptedLint: { clock: "a date of the data" } },
        };
        expect(await limitsOf(models, { files })).toEqual({
            script: "5000",
            other: "7000",
            silent: "a script, which cannot be looked into",
        });
    });
});

describe("lengths of a history held against the data", () => {
    const starts = "count(*) over (partition by horse order by day)";
    /** With `n`, how many starts the horse has had, for what a window cannot stand in. */
    const selectCounted = (expression: string): ShopModel => ({
        ...asOf,
        sql: `select day, ${expression} as value from (select *, ${starts} as n from main.starts)`,
    });

    test.each([
        `${starts} > 51`,
        `${starts} > 150`,
        `${starts} not between 1 and 3 * 50`,
        `${starts} - 150 > 0`,
        `150 < 2 * ${starts}`,
        `${starts} > pow(10, 3)`,
        `${starts} > 2 * (select 50)`,
        `${starts} / 150 > 1`,
        `${starts} // 150`,
        `0.001 * ${starts} > 0.5`,
        `-150 + ${starts} > 0`,
        `sign(10 ** 3 - ${starts})`,
        `least(${starts}, '150'::integer)`,
        `lead(rank, 150) over (order by day)`,
        `(list(rank) over (partition by horse))[150]`,
        `${starts} >= 5 * greatest(50, weight)`,
        `weight * 30 < ${starts}`,
        `${starts} - 30 * weight > 0`,
        `${starts} > case when weight > 60 then 5 else 90 end`,
        `${starts} / weight > 30`,
        `1.0 / ${starts} < 1.0 / weight`,
        `${starts} between 1 and weight`,
        `${starts} in (1, weight)`,
        `case weight when ${starts} then 1 end`,
        `greatest(${starts}, weight)`,
        `${starts} // weight`,
        `sign(${starts} - weight)`,
        `sum(rank) over (partition by horse) > weight`,
        `len(list(rank) over (partition by horse)) > weight`,
        `(list(rank) over (partition by horse))[weight]`,
        `row_number() over (partition by horse order by day) = weight`,
        `sum(rank) over (order by day rows between weight preceding and 1 preceding)`,
        `lag(rank, weight) over (order by day)`,
        `nth_value(rank, weight) over (order by day)`,
        `max(n) over (partition by horse) > weight`,
        `coalesce(${starts}, 0)::integer > weight`,
        `case when rank > 0 then ${starts} end > weight`,
        `(select count(*) from main.starts) > weight`,
        `weight in (select count(*) from main.starts group by horse)`,
        `exists (select 1 from main.starts group by horse having count(*) > min(weight))`,
        `list_max(list_transform([${starts}], x -> greatest(x, weight)))`,
        // Held against how long histories are.
        `2 * ${starts} >= (select max(n) from (select count(*) as n from main.starts group by horse))`,
        `2 * ${starts} >= max(n) over ()`,
        `10 * ${starts} < count(*) over ()`,
        `${starts} - (select avg(n) from (select count(*) as n from main.starts group by horse)) > 0`,
        `${starts} / count(*) over () > 0.1`,
        `${starts} > (select count(*) from main.starts) / 30`,
        `percent_rank() over (order by n) > 0.5`,
    ])("are found in %s", async (expression) => {
        const limits = await limitsOf({ counting: selectCounted(expression) });
        expect(Object.keys(limits)).toEqual(["counting"]);
        expect(limits.counting).not.toBe(unreadable);
    });

    test.each([
        `${starts} > 50`,
        `${starts} > 2 * 20 + 1`,
        `sum(rank) over (partition by horse) / (${starts} + 200)`,
        `100 * ${starts} > 5`,
        // Of a rate no length can be told.
        `sum(rank) over (partition by horse) / ${starts} > weight`,
        `${starts} > count(*) over (partition by barrier)`,
        `${starts} = max(n) over (partition by race_id)`,
        `percent_rank() over (partition by race_id order by n) > 0.5`,
        "cume_dist() over (order by rank) > 0.5",
        "(select count(*) from main.starts) < 30",
        "(select count(*) > 30 * count(distinct horse) from main.starts)",
        `greatest(${starts}, 1)`,
        `case when rank > 3 then ${starts} else 0 end > 5`,
        `sqrt(greatest(sum(rank * rank) over (partition by horse) - (sum(rank) over (partition by horse)) ** 2 / ${starts}, 0))`,
        // Of one event, of its day, or of so many rows.
        "count(*) over (partition by race_id) > rank",
        "count(*) over (partition by day) > rank",
        "count(*) over (order by day rows between 5 preceding and current row) > rank",
        "(select count(*) from main.starts group by race_id) > rank",
        "weight > rank",
        "avg(rank) over (partition by horse) > weight",
    ])("are not in %s", async (expression) => {
        expect(await limitsOf({ short: selectCounted(expression) })).toEqual({});
    });

    test("are told by the line, or by what stands around them", async () => {
        const padding = "rank + 1 as more, ".repeat(20);
        const models = {
            line: {
                ...asOf,
                sql: "select\n    day,\n    count(*) > min(weight) as x,\nfrom main.starts\ngroup by horse",
            },
            wide: select(`${padding}${starts} > weight as is_long, ${padding}1`),
        };
        expect(await limitsOf(models)).toEqual({
            line: "count(*) > min(weight) as x,",
            wide: expect.stringMatching(/^….{20,} > weight as is_long.*…$/),
        });
    });

    test("are followed through names, macros and models", async () => {
        const counted = `with counted as (select *, ${starts} as starts, starts - weight as more from main.starts) `;
        const statements = [
            "create table starts (weight integer)",
            "create macro is_long(n, limit_) as n > limit_",
            "create macro far() as 50",
            "create macro of_all(x) as (select count(*) from main.starts) + x",
        ];
        const models: Readonly<Record<string, ShopModel>> = {
            by_name: { ...asOf, sql: `${counted} select day, starts > weight as x from counted` },
            by_difference: { ...asOf, sql: `${counted} select day, more > 0 as x from counted` },
            by_condition: {
                ...asOf,
                sql: `${counted} select a.day from counted as a inner join main.starts as b on a.starts > b.weight`,
            },
            by_limit: {
                ...asOf,
                sql: "select day from main.starts order by day limit (select max(weight) from main.starts)",
            },
            by_alias: {
                ...asOf,
                sql: "with counted(day, n) as (select day, count(*) from main.starts group by horse) select day, n > weight as x from counted",
            },
            by_subquery: {
                ...asOf,
                sql: "select day, n > weight as x from (select horse, count(*) from main.starts group by all) as counted(horse, n)",
            },
            by_union: {
                ...asOf,
                sql: "with counted as (select day, 0 as n from main.starts union all select null, count(*) from main.starts) select day, n > weight as x from counted",
            },
            by_star: {
                ...asOf,
                sql: "with counted as (select * replace (count(*) over () as n) from main.starts) select day, n > weight as x from counted",
            },
            by_pivot: { ...asOf, sql: "pivot main.starts on weight using count(*)" },
            by_longest: {
                ...asOf,
                sql: `${counted} select day, 2 * starts > longest as x from counted, (select max(starts) as longest from counted)`,
            },
            by_days_before: {
                ...asOf,
                sql: "select b.day, count(*) > min(b.weight) as x from main.starts as a inner join main.starts as b on a.horse = b.horse and a.day < b.day group by b.day, b.horse",
            },
            by_days_between: {
                ...asOf,
                sql: "select b.day, count(*) > min(b.weight) as x from main.starts as a inner join main.starts as b using (horse) where a.day between b.day - 90 and b.day - 1 group by b.day, b.horse",
            },
            by_macro: select(`is_long(${starts}, weight)`),
            by_far: select(`${starts} > 2 * far()`),
            by_constant: select(`is_long(${starts}, 50)`),
            in_macro: select("of_all(0) > weight"),
            totals: { sql: "select horse, count(*) as starts from main.starts group by all" },
            days: { ...asOf, sql: "select day, race_id, count(*) as field from main.starts group by all" },
            by_total: { ...asOf, refs: ["totals"], sql: "select day, starts > weight as x from main.totals" },
            by_field: { ...asOf, refs: ["days"], sql: "select day, field > weight as x from main.days" },
        };
        expect(Object.keys(await limitsOf(models, { statements })).sort()).toEqual([
            "by_alias",
            "by_condition",
            "by_days_before",
            "by_days_between",
            "by_difference",
            "by_far",
            "by_limit",
            "by_longest",
            "by_macro",
            "by_name",
            "by_pivot",
            "by_star",
            "by_subquery",
            "by_total",
            "by_union",
            "in_macro",
        ]);
    });
});

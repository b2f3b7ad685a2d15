import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { longCounts } from "../../runner/testing/replay/long-counts.ts";
import { compiledShop, type ShopModel } from "./build-fixture.ts";
import { withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

const asOf = { asOf: "day" } as const;

/** The numbers between 2,250 and 500,000 that each model is told to know. */
async function numbersOf(
    models: Readonly<Record<string, ShopModel>>,
    {
        statements = [],
        files = {},
    }: { statements?: readonly string[]; files?: Readonly<Record<string, string>> } = {},
): Promise<Readonly<Record<string, number>>> {
    return withTemporaryDirectory(async (root) => {
        for (const folder of ["models", "macros"]) await mkdir(join(root, folder));
        for (const [file, text] of Object.entries(files)) await writeFile(join(root, file), text);
        return withMemoryWarehouse(async (warehouse) => {
            for (const statement of statements) await warehouse.execute(statement);
            const compiled = compiledShop(models);
            const limits = { beyond: 2250, upTo: 500_000 };
            const found = await longCounts({ warehouse, compiled, root, names: undefined, ...limits });
            return Object.fromEntries(found.map(({ model, number }) => [model, number]));
        });
    });
}

const select = (expression: string, more: ShopModel = {}): ShopModel => ({
    ...asOf,
    sql: `select day, ${expression} as value from main.starts`,
    ...more,
});

describe("numbers that no slice counts to", () => {
    test.each([
        ["count(*) over () > 5000", 5000],
        ["5_000 <= count(*) over ()", 5000],
        ["case when rank = 5e3 then 1 end", 5000],
        ["rank not in (1, 2, 5000)", 5000],
        ["rank between 1 and 50 * 100", 5000],
        ["rank > 10 ** 4 // 2", 5000],
        ["rank > -(-4_000 - 1000)", 5000],
        ["rank > '5000'::integer", 5000],
        ["rank > cast(5000.5 as decimal(8, 2))", 5000.5],
        ["sum(rank) over (order by day rows between 5000 preceding and 1 preceding)", 5000],
        [
            "sum(rank) over (order by day range between interval 5000 day preceding and interval 1 day preceding)",
            5000,
        ],
        ["lag(rank, 5000) over (order by day)", 5000],
        ["least(rank, 5000)", 5000],
        ["rank // 5000 > 0", 5000],
        ["(select max(n) from (select 50 * 100 as n))", 5000],
        ["list_max(list_transform([rank], x -> x - 5000))", 5000],
    ])("are found in %s", async (expression, number) => {
        expect(await numbersOf({ counting: select(expression) })).toEqual({ counting: number });
    });

    test.each([
        "rank > 2250",
        "rank > 10000 / 1000",
        "rank > 600_000",
        "rank > length('more than 5000')",
        "day > date '2024-05-05'",
        "rank_5000 > 1 -- 5000",
    ])("are not those of %s", async (expression) => {
        expect(await numbersOf({ short: select(expression) })).toEqual({});
    });

    test("may stand in a limit of rows", async () => {
        const limited = { ...asOf, sql: "select day from main.starts order by day desc limit 5000" };
        expect(await numbersOf({ limited })).toEqual({ limited: 5000 });
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
        expect(await numbersOf(models, { statements })).toEqual({ called: 5000, table: 6000 });
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
        expect(await numbersOf(models, { statements })).toEqual({
            compared: 8000,
            by_seed: 5000,
            by_total: 7000,
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
        const script = (name: string): ShopModel => ({ ...asOf, file: `models/${name}.ts` });
        const models = { script: script("script"), other: script("other"), short: script("short") };
        expect(await numbersOf(models, { files })).toEqual({ script: 5000, other: 7000 });
    });
});

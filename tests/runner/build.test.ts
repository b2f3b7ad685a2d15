import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";
import { type Built, buildCompiled, buildShop, compiledShop } from "./build-fixture.ts";
import { limitsIn, withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

/** `name status rows columns`, one a node. */
function summary({ results }: Built): readonly string[] {
    return results.map(({ name, status, rows, columns }) =>
        [name, status, rows, columns].filter((part) => part !== undefined).join(" "),
    );
}

const slow = "select count(*) as n from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3";

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, file)), { recursive: true });
        await writeFile(join(root, file), text);
    }
}

async function tables(warehouse: Warehouse): Promise<readonly string[]> {
    const rows = await warehouse.rows(
        "select table_name || ' ' || lower(table_type) as name from information_schema.tables order by all",
    );
    return rows.map(({ name }) => String(name));
}

test("models are built in dependency order, as tables and views", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const built = await buildShop(warehouse, {
            orders: { sql: "select range as order_id, range % 3 as customer_id from range(10)" },
            big_orders: {
                sql: "select * from main.orders where order_id > 4 -- the big ones",
                refs: ["orders"],
                materialized: "view",
            },
            customers: {
                sql: "select customer_id, count(*) as orders from main.big_orders group by all",
                refs: ["big_orders"],
                materialized: "postgres_table",
            },
        });
        expect(summary(built)).toEqual([
            "orders success 10 2",
            "big_orders success 2",
            "customers success 3 2",
        ]);
        expect(built.events.map((event) => `${event.type} ${"index" in event && event.index}`)).toEqual([
            "node-start 1",
            "node-end 1",
            "node-start 2",
            "node-end 2",
            "node-start 3",
            "node-end 3",
        ]);
        expect(await tables(warehouse)).toEqual([
            "big_orders view",
            "customers base table",
            "orders base table",
        ]);
    });
});

test("a failed model skips what depends on it, and the others finish", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const built = await buildShop(warehouse, {
            orders: { sql: "select 1 as id" },
            broken: { sql: "select\n    idd\nfrom main.orders", refs: ["orders"] },
            half: { materialized: "ephemeral", sql: "select * from main.broken", refs: ["broken"] },
            after: { sql: "select * from (select * from main.broken)", refs: ["half"] },
            long_after: { sql: "select * from main.after", refs: ["after", "orders"] },
            other: { sql: "select * from main.orders", refs: ["orders"] },
            target_view: {
                materialized: "postgres_materialized_view",
                sql: "select now()",
                refs: ["orders"],
            },
        });
        expect(summary(built)).toEqual([
            "orders success 1 1",
            "broken failed",
            "after skipped",
            "long_after skipped",
            "other success 1 1",
        ]);
        const [, broken, after, longAfter] = built.results;
        expect(broken?.message).toMatch(
            /^models\/broken\.sql: Binder Error: Referenced column "idd" not found/,
        );
        expect(broken?.message).toMatch(/2 \| {5}idd\n +\| {5}\^$/);
        expect(after?.message).toBe("skipped, because broken failed");
        expect(longAfter?.message).toBe("skipped, because broken failed");
    });
});

test("models run side by side as far as the graph and the setting allow", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const models = {
            one: { sql: "select 1 as n" },
            two: { sql: "select 2 as n" },
            three: { sql: "select 3 as n" },
            all: { sql: "select n from main.one union all select n from main.two", refs: ["one", "two"] },
        };
        const most = async (concurrency: number) => {
            let running = 0;
            let highest = 0;
            const { events } = await buildShop(warehouse, models, {
                concurrency,
                onEvent: ({ type }) => {
                    running += type === "node-start" ? 1 : -1;
                    highest = Math.max(highest, running);
                },
            });
            const starts = events.flatMap((event) => (event.type === "node-start" ? [event.name] : []));
            return { highest, starts };
        };
        expect(await most(4)).toMatchObject({ highest: 3 });
        expect((await most(4)).starts.slice(0, 3)).toEqual(["one", "two", "three"]);
        expect(await most(1)).toEqual({ highest: 1, starts: ["one", "two", "three", "all"] });
    });
});

test("two models that each wait for the other's connection overlap in time", async () => {
    await withTemporaryDirectory(async (root) => {
        // Each model reports that it has begun and ends only when the other one has, too.
        const meet = (own: string, other: string) => `
            import { existsSync, writeFileSync } from "node:fs";
            export default {
                refs: [], columns: { n: "integer" },
                async run({ write, read }) {
                    for await (const chunk of read("select 1::integer as n")) await write(chunk);
                    writeFileSync("${join(root, own)}", "");
                    while (!existsSync("${join(root, other)}")) await new Promise((later) => setTimeout(later, 5));
                },
            };`;
        await writeFiles(root, {
            "models/left.ts": meet("left", "right"),
            "models/right.ts": meet("right", "left"),
        });
        await withMemoryWarehouse(async (warehouse) => {
            const built = await buildShop(
                warehouse,
                { left: { file: "models/left.ts" }, right: { file: "models/right.ts" } },
                { root },
            );
            expect(summary(built)).toEqual(["left success 1 1", "right success 1 1"]);
        });
    });
});

test("an interrupt stops the build at once, and says what did not run", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const interruption = new AbortController();
        let aborted = 0;
        const built = await buildShop(
            warehouse,
            {
                quick: { sql: "select 1 as n" },
                endless: { sql: slow, refs: ["quick"] },
                also_endless: { sql: `${slow} and true`, refs: ["quick"] },
                later: { sql: "select * from main.endless", refs: ["endless"] },
            },
            {
                signal: interruption.signal,
                concurrency: 2,
                onEvent: (event) => {
                    if (event.type !== "node-start" || event.name !== "also_endless") return;
                    setTimeout(() => {
                        aborted = performance.now();
                        interruption.abort();
                    }, 100);
                },
            },
        );
        expect(performance.now() - aborted).toBeLessThan(3000);
        expect(built.results.map(({ status, message }) => [status, message])).toEqual([
            ["success", undefined],
            ["failed", "interrupted"],
            ["failed", "interrupted"],
            ["not_run", "not run, because the run was interrupted"],
        ]);
    });
});

test("a partial build replaces a relation whatever it was before, and keeps it when it fails", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const build = (materialized: "table" | "view", sql: string) =>
            buildShop(warehouse, { prices: { materialized, sql } });
        await build("table", "select 1 as price");
        await warehouse.execute("create view reader as select * from main.prices");
        await build("view", "select 2 as price");
        expect(await tables(warehouse)).toEqual(["prices view", "reader view"]);
        expect(await warehouse.rows("from reader")).toEqual([{ price: 2 }]);
        await build("table", "select 3 as price");
        expect(await tables(warehouse)).toEqual(["prices base table", "reader view"]);
        const failed = await build("view", "select 'x'::integer + zilch as price");
        expect(summary(failed)).toEqual(["prices failed"]);
        expect(await warehouse.rows("from prices")).toEqual([{ price: 3 }]);
        const late = await build(
            "table",
            "select case when i < 3000 then 1 else error('late') end as price from range(5000) r(i)",
        );
        expect(summary(late)).toEqual(["prices failed"]);
        expect(await warehouse.rows("from prices")).toEqual([{ price: 3 }]);
    });
});

test("only the named nodes are built, from what the warehouse already has", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const compiled = compiledShop({
            orders: { sql: "select 1 as id" },
            totals: { sql: "select count(*) as n from main.orders", refs: ["orders"] },
        });
        await warehouse.execute("create table orders as select range as id from range(7)");
        const built = await buildCompiled(warehouse, compiled, { names: ["totals"] });
        expect(summary(built)).toEqual(["totals success 1 1"]);
        expect(await warehouse.rows("select n::integer as n from totals")).toEqual([{ n: 7 }]);
    });
});

test("external models are files that refs can read, with types and NULLs as they were", async () => {
    await withTemporaryDirectory(async (root) => {
        await withMemoryWarehouse(async (warehouse) => {
            const sql = `select * from (values (1::smallint, '', 'a,"b"', 1.50::decimal(8,2), date '2024-01-01', true),
                (2::smallint, null, 'line' || chr(10) || 'end', null, null, null)) t(id, empty, text, price, day, paid)`;
            const models = {
                as_csv: { materialized: "external", external: { path: "out/as.csv", format: "csv" }, sql },
                as_parquet: {
                    materialized: "external",
                    external: { path: "out/as.parquet", format: "parquet" },
                    sql,
                },
                as_default: { materialized: "external", sql },
                reader: {
                    sql: "from main.as_csv union all from main.as_parquet",
                    refs: ["as_csv", "as_parquet"],
                },
            } as const;
            const built = await buildShop(warehouse, models, { root });
            expect(summary(built)).toEqual([
                "as_csv success 2 6",
                "as_parquet success 2 6",
                "as_default success 2 6",
                "reader success 4 6",
            ]);
            for (const name of ["as_csv", "as_parquet", "as_default"]) {
                expect(
                    await warehouse.rows(
                        `(from ${name} except all ${sql}) union all (${sql} except all from ${name})`,
                    ),
                ).toEqual([]);
                expect(await warehouse.describe(`from ${name}`)).toEqual(await warehouse.describe(sql));
            }
            expect((await readFile(join(root, "out/as.csv"), "utf8")).split("\n")[0]).toBe(
                "id,empty,text,price,day,paid",
            );
            const broken = await buildShop(
                warehouse,
                { as_csv: { ...models.as_csv, sql: "select error('late') as id" } },
                { root },
            );
            expect(summary(broken)).toEqual(["as_csv failed"]);
            expect(await readdir(join(root, "out"))).toEqual(["as.csv", "as.parquet"]);
            expect(existsSync(join(root, "target/external/as_default.parquet"))).toBe(true);
        });
    });
});

test("macros are there before the models, in whatever order they need each other", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const macro = (name: string, sql: string) => ({ name, file: `macros/${name}.sql`, sql, lineMap: [] });
        const compiled = compiledShop(
            { prices: { sql: "select with_tax(100) as price" } },
            {
                macros: [
                    macro("with_tax", "create or replace macro with_tax(price) as price + tax(price)"),
                    macro("tax", "create or replace macro tax(price) as price * 0.1"),
                ],
            },
        );
        expect(summary(await buildCompiled(warehouse, compiled))).toEqual(["prices success 1 1"]);
        const broken = compiledShop({}, { macros: [macro("oops", "create macro oops(price) as (")] });
        await expect(buildCompiled(warehouse, broken)).rejects.toThrow(/^macros\/oops\.sql: Parser Error/);
    });
});

test("a model of two statements is refused before either runs", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table kept as select 1 as n");
        const built = await buildShop(warehouse, { two: { sql: "select 1 as n;\ndrop table kept" } });
        expect(built.results[0]?.message).toContain("Cannot prepare multiple statements at once");
        expect(await tables(warehouse)).toEqual(["kept base table"]);
    });
});

test("many models built at once into a file do not get into each other's way", async () => {
    await withTemporaryDirectory(async (directory) => {
        const names = Array.from({ length: 60 }, (_, index) => `model_${index}`);
        const models = Object.fromEntries(
            names.map((name, index) => [
                name,
                {
                    sql:
                        index === 0
                            ? "select range as n, repeat('x', (range % 40)::integer) as t from range(20000)"
                            : `select * from main.model_0 where n % ${index} = 0`,
                    refs: index === 0 ? [] : ["model_0"],
                    materialized: index % 5 === 4 ? ("view" as const) : ("table" as const),
                },
            ]),
        );
        await withWarehouse(join(directory, "w.duckdb"), limitsIn(directory), async (warehouse) => {
            for (let round = 0; round < 2; round++) {
                const built = await buildShop(warehouse, models, { concurrency: 8 });
                expect(built.results.filter(({ status }) => status !== "success")).toEqual([]);
            }
        });
        expect(await readdir(directory)).toEqual(["spill", "w.duckdb"]);
    });
});

import { expect, test } from "vitest";
import type { CompiledAssertion } from "../../runner/compile/compiled.ts";
import type { DataTest, ModelColumn } from "../../runner/project/project.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { listTests } from "../../runner/testing/list-tests.ts";
import { runTests } from "../../runner/testing/run-tests.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { compiledShop, type ShopModel } from "./build-fixture.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

const quiet = { report: () => undefined, signal: new AbortController().signal };

function column(name: string, tests: readonly DataTest[] = [], more: Partial<ModelColumn> = {}): ModelColumn {
    return { name, description: "", tests, ...more };
}

const error = { severity: "error" } as const;

async function testShop(
    warehouse: Warehouse,
    models: Readonly<Record<string, ShopModel>>,
    assertions: readonly CompiledAssertion[] = [],
) {
    const compiled = compiledShop(models, { assertions });
    const names = new Set([...compiled.nodes.keys()]);
    return runTests({ ...quiet, warehouse, compiled, names });
}

/** `name status failures`, one a line. */
function summary(results: Awaited<ReturnType<typeof testShop>>): readonly string[] {
    return results.map(
        ({ name, status, rows }) => `${name} ${status}${rows === undefined ? "" : ` ${rows}`}`,
    );
}

const orders = `create table orders as select * from (values
    (1, 10, 'paid', 5.0::float, date '2024-01-01'),
    (2, 10, 'open', -1.0, date '2024-01-02'),
    (3, 99, 'lost', null, null),
    (3, null, null, 2000.0, date '2024-01-04')
) orders(order_id, customer_id, state, amount, day)`;

test("every kind of test counts the rows that fail it, and NULL fails not_null only", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(orders);
        await warehouse.execute("create table customers as select 10 as id");
        const results = await testShop(warehouse, {
            customers: {},
            orders: {
                columns: [
                    column("order_id", [
                        { ...error, type: "unique" },
                        { ...error, type: "not_null" },
                    ]),
                    column("customer_id", [
                        { ...error, type: "not_null" },
                        { ...error, type: "relationships", to: "customers", field: "id" },
                        { ...error, type: "unique", where: "state <> 'open'" },
                    ]),
                    column("state", [{ ...error, type: "accepted_values", values: ["paid", "open"] }]),
                    column("amount", [{ severity: "warn", type: "range", min: 0, max: 1000 }]),
                    column("day", [], { range: [null, null] }),
                ],
                tests: [
                    { ...error, type: "unique_combination", columns: ["order_id", "customer_id"] },
                    {
                        ...error,
                        type: "unique_combination",
                        columns: ["order_id", "day"],
                        where: "day is null",
                    },
                ],
            },
        });
        expect(summary(results)).toEqual([
            "orders.contract success 0",
            "orders.order_id.unique failed 1",
            "orders.order_id.not_null success 0",
            "orders.customer_id.not_null failed 1",
            "orders.customer_id.relationships failed 1",
            "orders.customer_id.unique success 0",
            "orders.state.accepted_values failed 1",
            "orders.amount.range warned 2",
            "orders.day.range success 0",
            "orders.unique_combination success 0",
            "orders.unique_combination_2 success 0",
        ]);
    });
});

test("a failure shows rows by their grain and the query that finds them all", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table orders as select i as order_id, null::date as day from range(7) r(i)",
        );
        const results = await testShop(warehouse, {
            orders: { grain: ["order_id"], columns: [column("day", [{ ...error, type: "not_null" }])] },
        });
        const message = results.find(({ name }) => name === "orders.day.not_null")?.message;
        expect(message).toBe(
            [
                "7 rows: day is NULL",
                ...[0, 1, 2, 3, 4].map((id) => `    order_id=${id}, day=NULL`),
                "    and 2 more",
                "  to see them:",
                '    select "order_id", "day" from main."orders" where "day" is null',
            ].join("\n"),
        );
    });
});

test("a grain implies that its columns are there and identify a row", async () => {
    const compiled = compiledShop({
        orders: { grain: ["order_id"] },
        lines: {
            grain: ["order_id", "line"],
            columns: [column("order_id", [{ severity: "warn", type: "not_null" }])],
        },
    });
    expect(listTests(compiled).map(({ name, severity }) => `${name} ${severity}`)).toEqual([
        "orders.order_id.not_null error",
        "orders.order_id.unique error",
        "lines.contract error",
        "lines.order_id.not_null warn",
        "lines.line.not_null error",
        "lines.unique_combination error",
    ]);
});

test("the contract names missing columns and wrong types, and undeclared ones where the model is published", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table prices as select 1::smallint as price, 'x' as note, 1.5::decimal(8,2) as tax",
        );
        const columns = [
            column("price", [], { type: "integer" }),
            column("notes", [], { type: "varchar" }),
            column("tax", [], { type: "numeric(8, 2)" }),
        ];
        const kept = await testShop(warehouse, { prices: { columns } });
        expect(kept[0]).toMatchObject({ status: "failed", rows: 2 });
        expect(kept[0]?.message).toBe(
            [
                "the table and its declaration (models/prices.yml) differ:",
                "    price is declared as integer, but is smallint",
                "    notes is declared, but missing from the table (there is note)",
            ].join("\n"),
        );
        const published = await testShop(warehouse, { prices: { columns, tags: ["publish"] } });
        expect(published[0]?.message).toContain("note (varchar) is not declared");
    });
});

test("one test with a wrong condition does not spoil the scan of the others", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(orders);
        const results = await testShop(warehouse, {
            orders: {
                columns: [
                    column("order_id", [{ ...error, type: "not_null" }]),
                    column("state", [{ ...error, type: "not_null", where: "nowhere > 1" }]),
                    column("amuont", [{ ...error, type: "not_null" }]),
                ],
            },
        });
        expect(summary(results)).toEqual([
            "orders.contract failed 1",
            "orders.order_id.not_null success 0",
            "orders.state.not_null failed",
            "orders.amuont.not_null failed",
        ]);
        expect(results[2]?.message).toContain('Referenced column "nowhere"');
        expect(results[3]?.message).toBe("there is no column amuont; did you mean amount?");
    });
});

test("an assertion fails by the rows it returns, and says what it asserts", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(orders);
        const assertion = (
            name: string,
            sql: string,
            severity: "error" | "warn" = "error",
        ): CompiledAssertion => ({
            kind: "assertion",
            name,
            file: `tests/assertions/${name}.sql`,
            refs: ["orders"],
            sources: [],
            severity,
            description: "Amounts are never negative.",
            tags: [],
            sql,
            lineMap: [],
        });
        const results = await testShop(warehouse, { orders: {} }, [
            assertion(
                "amounts_are_positive",
                "select order_id, amount from main.orders where amount < 0 -- all",
            ),
            assertion("broken", "select\n    amuont\nfrom main.orders"),
            assertion("days_are_past", "select * from main.orders where day > date '2100-01-01'"),
            assertion("states_are_known", "from main.orders where state = 'lost'", "warn"),
        ]);
        expect(summary(results)).toEqual([
            "amounts_are_positive failed 1",
            "broken failed",
            "days_are_past success 0",
            "states_are_known warned 1",
        ]);
        expect(results[0]?.message).toMatch(
            /^1 row: Amounts are never negative\.\n {4}order_id=2, amount=-1\n/,
        );
        expect(results[1]?.message).toMatch(
            /tests\/assertions\/broken\.sql.*Referenced column "amuont" not found/,
        );
    });
});

test("tests of a table that was never built say how to build it", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const results = await testShop(warehouse, { orders: { grain: ["order_id"] } });
        expect(summary(results)).toEqual([
            "orders.order_id.not_null failed",
            "orders.order_id.unique failed",
        ]);
        expect(results[0]?.message).toContain("orders is not in the warehouse");
    });
});

test("ephemeral models are tested by their query, and seeds as tables", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table states as select 'paid' as state");
        const results = await testShop(warehouse, {
            states: { kind: "seed", grain: ["state"] },
            recent: {
                materialized: "ephemeral",
                sql: "select 1 as id union all select 1 -- two",
                grain: ["id"],
            },
        });
        expect(summary(results)).toEqual([
            "states.state.not_null success 0",
            "states.state.unique success 0",
            "recent.id.not_null success 0",
            "recent.id.unique failed 1",
        ]);
    });
});

test("after an interrupt the tests that nobody got to are not run", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create view slow as select a.range as id from range(1000000) a, range(1000000) b",
        );
        const compiled = compiledShop({ slow: { grain: ["id"] }, later: { grain: ["id"] } });
        const interruption = new AbortController();
        const events: RunEvent[] = [];
        const started = performance.now();
        setTimeout(() => interruption.abort(), 200);
        const results = await runTests({
            warehouse,
            compiled,
            names: new Set(compiled.order),
            report: (event) => events.push(event),
            signal: interruption.signal,
            concurrency: 1,
        });
        expect(performance.now() - started).toBeLessThan(4000);
        expect(results.map(({ status }) => status)).toEqual(["failed", "not_run", "not_run", "not_run"]);
        expect(results[0]?.message).toBe("interrupted");
        expect(events).toHaveLength(2);
    });
});

test("a column that orders an event's rows better than the yardstick is pointed at, and so is a telling NULL", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        // 300 auctions of six bids: the favourite wins half of them.
        await warehouse.execute(`
            create table bids as
            select
                auction,
                bid,
                bid = case when auction % 2 = 0 then 0 else 1 + auction % 5 end as is_sold,
                6 - bid as estimate,
                hash(auction, bid) % 1000 / 1000 as noise,
                case when is_sold then 0.5 + noise else noise end as leaky_score,
                case when is_sold or bid = 5 then noise end as leaky_presence,
                case when noise > 0.3 then noise end as sparse,
                is_sold as sold_again,
            from range(300) auctions(auction), range(6) bids(bid)`);
        const columns = ["is_sold", "estimate", "noise", "leaky_score", "leaky_presence", "sparse"].map(
            (name) => column(name, [], { tier: name === "is_sold" ? "label" : "history" }),
        );
        const bids = {
            grain: ["auction", "bid"],
            columns: [...columns, column("sold_again", [], { tier: "label" })],
            tripwires: { outcome: "is_sold", yardstick: "estimate" },
        };
        const results = await testShop(warehouse, { bids });
        const found = results.find(({ name }) => name === "bids.tripwires");
        expect(found).toMatchObject({ status: "warned", rows: 2 });
        expect(found?.message).toMatch(
            /^may know is_sold too well .* of 1,500 pairs of 300 events estimate orders 7\d\.\d % rightly/,
        );
        expect(found?.message).toMatch(
            /\n +leaky_score alone orders 8\d\.\d % of 1,500 pairs rightly, estimate 7\d\.\d % of them/,
        );
        expect(found?.message).toMatch(
            /\n +leaky_presence: whether it is NULL alone orders 9\d\.\d % of all pairs rightly/,
        );
        const honest = { ...bids, columns: bids.columns.filter(({ name }) => !name.startsWith("leaky")) };
        await warehouse.execute(
            "alter table bids drop column leaky_score; alter table bids drop column leaky_presence",
        );
        const passed = await testShop(warehouse, { bids: honest });
        expect(passed.find(({ name }) => name === "bids.tripwires")).toMatchObject({ status: "success" });
    });
});

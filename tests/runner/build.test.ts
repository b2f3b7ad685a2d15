import { expect, test } from "vitest";
import { buildShop } from "./build-fixture.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

test("models are built in dependency order, as tables and views", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const { results, events } = await buildShop(warehouse, {
            orders: { sql: "select range as order_id, range % 3 as customer_id from range(10)" },
            big_orders: {
                sql: "select * from main.orders where order_id > 4",
                refs: ["orders"],
                materialized: "view",
            },
            customers: {
                sql: "select customer_id, count(*) as orders from main.big_orders group by all",
                refs: ["big_orders"],
            },
        });
        expect(results.map(({ name, status, rows, columns }) => ({ name, status, rows, columns }))).toEqual([
            { name: "orders", status: "success", rows: 10, columns: 2 },
            { name: "big_orders", status: "success", rows: undefined, columns: 2 },
            { name: "customers", status: "success", rows: 3, columns: 2 },
        ]);
        expect(events.map((event) => event.type)).toEqual([
            "node-start",
            "node-end",
            "node-start",
            "node-end",
            "node-start",
            "node-end",
        ]);
    });
});

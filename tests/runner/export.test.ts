import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rebuild } from "./command-line.ts";
import { withShop } from "./shop-project.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

test("a model is exported without the columns of a tier, to Parquet and CSV, in the order of its grain", () =>
    withShop(
        {
            "data/customers.csv": "customer_id,customer_name,country\n2,Bo,\n1,Ann,de\n",
            "data/shop_orders.csv": [
                "order_id,customer_id,order_date,total,status,item_1,item_2,item_3",
                "1,2,2024-01-01,120.50,PAID,100,20.50,",
                "2,1,2024-01-05,80,PAID,80,,",
            ].join("\n"),
            "models/marts/customer_facts.yml": `
model: customer_facts
grain: customer_id
columns:
    customer_id: { type: bigint, tier: key }
    order_days: { type: usmallint, tier: history }
    large_share: { type: double, tier: history }
    currency: { type: varchar, tier: price }
`,
        },
        async (root) => {
            const command = (...args: readonly string[]) => rebuild(args, { cwd: root });
            const at = (file: string) => join(root, file);
            expect((await command("run")).code).toBe(0);

            const told = await command(
                ...["export", "customer_facts", "--without-tier", "price", "--to", at("out/facts.parquet")],
            );
            expect(told.stdout).toMatch(/^Wrote 2 rows of 3 columns of customer_facts to .*facts\.parquet/);
            expect(told.code).toBe(0);
            await withMemoryWarehouse(async (warehouse) => {
                expect(await warehouse.rows(`from '${at("out/facts.parquet")}'`)).toEqual([
                    { customer_id: 1n, order_days: 1, large_share: expect.anything() },
                    { customer_id: 2n, order_days: 1, large_share: expect.anything() },
                ]);
            });

            const json = await command(
                ...["export", "customer_facts", "--tier", "price", "--to", at("facts.csv"), "--json"],
            );
            expect(JSON.parse(json.stdout)).toMatchObject({
                rows: 2,
                columns: ["customer_id", "currency"],
                file: at("facts.csv"),
            });
            expect(await readFile(at("facts.csv"), "utf8")).toBe("customer_id,currency\n1,EUR\n2,EUR\n");

            const shown = await command("show", "customer_facts", "--without-tier", "history", "--json");
            expect(JSON.parse(shown.stdout)[0]).toEqual({ customer_id: expect.anything(), currency: "EUR" });

            const refused = [
                [
                    ["customer_facts", "--tier", "prise", "--to", at("x.csv")],
                    "its tiers are history, key, price",
                ],
                [["customer_facts", "--columns", "curency", "--to", at("x.csv")], "near: currency"],
                [["customer_facts", "--to", at("x.feather")], ".parquet, .csv, .csv.gz"],
                [["stg_orders", "--without-tier", "price", "--to", at("x.csv")], "give them a `tier:`"],
                [["customer_fact", "--to", at("x.csv")], "near: customer_facts"],
            ] as const;
            const outcomes = await Promise.all(refused.map(([args]) => command("export", ...args)));
            for (const [index, { code, stderr }] of outcomes.entries()) {
                expect(stderr).toContain(refused[index]![1]);
                expect(code).toBe(2);
            }
            expect(existsSync(at("x.csv"))).toBe(false);
            expect((await readdir(root)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
        },
    ));

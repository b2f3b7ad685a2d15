import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { type CommandOptions, type Outcome, rebuild } from "../runner/command-line.ts";
import { type Changes, withShop } from "../runner/shop-project.ts";

/** The shop with its source and its published table in one database, as a deployment has them. */
export interface LiveShop {
    readonly root: string;
    readonly database: TestDatabase;
    readonly env: Readonly<Record<string, string>>;
    run(args: readonly string[], options?: CommandOptions): Promise<Outcome>;
    query<Row = Record<string, unknown>>(sql: string): Promise<readonly Row[]>;
    /** A JSON file under target/. */
    read(...path: readonly string[]): Promise<Record<string, unknown>>;
}

/** The shop's rebuild.yml, with phases. */
export const shopSettings = `
name: shop
vars: { windows: [30, 90], prices: { currency: EUR, decimals: 2 }, large_order: 100, with_discounts: false }
models:
    staging: { materialized: view }
    base: { materialized: ephemeral }
    marts: { materialized: postgres_table, tags: [publish] }
phases:
    - { name: extract, steps: [extract] }
    - { name: staging, models: [models/staging, type:seed] }
    - { name: features, rest: true }
    - { name: marts, models: [models/marts], steps: [test, publish] }
    - { name: refresh, steps: [refresh] }
`;

const files: Changes = {
    "rebuild.yml": shopSettings,
    "models/marts/customer_facts.yml":
        "model: customer_facts\ngrain: customer_id\npublish: { primary_key: [customer_id] }\n",
    "models/marts/customer_summary.yml":
        "model: customer_summary\nmaterialized: postgres_materialized_view\ntags: [publish]\n" +
        "publish: { indexes: [{ columns: [currency], unique: true }] }\n",
    "models/marts/customer_summary.sql":
        'select currency, count(*) as customers from {{ref "customer_facts"}} group by currency\n',
    "tests/assertions/no_negative_totals.sql": null,
};

const schemaSql = `
create schema shop;
create table shop.customers (customer_id bigint primary key, customer_name text, country text);
create table shop.shop_orders (
    order_id bigint primary key, customer_id bigint not null, order_date date not null,
    total numeric(18,6), status text, item_1 numeric(10,2), item_2 numeric(10,2), item_3 numeric(10,2)
);
insert into shop.customers select n, 'customer ' || n, 'de' from generate_series(1, 50) n;
insert into shop.shop_orders
    select n, 1 + n % 50, date '2024-01-01' + n % 90, 10 + n % 200, 'PAID', 1, 2, 3 from generate_series(1, 2000) n;
`;

export interface LiveShopOptions {
    /** Of a superuser. Default: the server of all tests. */
    readonly server?: string;
}

export async function withLiveShop<T>(
    changes: Changes,
    use: (shop: LiveShop) => Promise<T>,
    { server }: LiveShopOptions = {},
): Promise<T> {
    const database = await createDatabase("live_shop", server);
    try {
        return await withShop({ ...files, ...changes }, async (root) => {
            const query = <Row>(sql: string) =>
                withClient({ url: database.url }, async (client) => (await client.query<Row>(sql)).rows);
            await query(schemaSql);
            const url = new URL(database.url);
            const env = { SHOP_URL: url.href, SHOP_TARGET_URL: url.href, REBUILD_ENV_FILE: "" };
            return use({
                root,
                database,
                env,
                query,
                run: (args, options = {}) =>
                    rebuild(args, { cwd: root, ...options, env: { ...env, ...options.env } }),
                read: async (...path) => JSON.parse(await readFile(join(root, "target", ...path), "utf8")),
            });
        });
    } finally {
        await database.drop();
    }
}

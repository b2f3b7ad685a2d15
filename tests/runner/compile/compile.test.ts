import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import { compileText } from "../../../runner/compile/compile-text.ts";
import type { CompiledModel, CompiledProject } from "../../../runner/compile/compiled.ts";
import { loadProject } from "../../../runner/project/load-project.ts";
import type { Project } from "../../../runner/project/project.ts";
import { compileShop, loadShop, shopRoot } from "../shop-project.ts";

function model(compiled: CompiledProject, name: string): CompiledModel {
    const node = compiled.nodes.get(name);
    if (node?.kind !== "model") throw new Error(`no model ${name}`);
    return node;
}

async function sqlOf(text: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    return model(await compileShop({ "models/base/tried.sql": text, ...more }), "tried").sql;
}

describe("the compiled shop", () => {
    let project: Project;
    let compiled: CompiledProject;
    beforeAll(async () => {
        project = await loadProject({ root: shopRoot, env: {} });
        compiled = compileProject(project);
    });

    it("is the SQL that was agreed on", async () => {
        for (const node of compiled.nodes.values()) {
            if (node.kind === "seed" || node.sql === "") continue;
            await expect(`${node.sql}\n`).toMatchFileSnapshot(
                `../../fixtures/shop-compiled/${node.name}.sql`,
            );
        }
    });

    it("runs in DuckDB, in its order", async () => {
        const instance = await DuckDBInstance.create(":memory:");
        const connection = await instance.connect();
        try {
            await connection.run(`
                create schema sources;
                create table sources.customers as select 1::bigint as customer_id, 'Ada' as customer_name, 'NZ' as country;
                create table sources.orders as
                    select n::bigint as order_id, 1::bigint as customer_id, date '2024-05-01' + n::int as order_date,
                        (n * 60)::decimal(18,6) as total, case when n = 4 then 'CANCELLED' end as status
                    from range(1, 5) numbers(n);
                create table countries as select 'NZ' as country, 'Oceania' as region`);
            for (const { sql } of compiled.macros) await connection.run(sql);
            for (const name of compiled.order) {
                const node = compiled.nodes.get(name)!;
                if (node.kind !== "model" || node.language === "typescript") continue;
                const { materialized } = node.config;
                if (materialized === "postgres_materialized_view") continue;
                // Ephemeral models stand on their own too, so that `show` can run them.
                const kind = materialized === "view" ? "view" : "table";
                await connection.run(`create ${kind} main.${name} as ${node.sql}`);
            }
            const rows = await connection.runAndReadAll("select * from customer_orders");
            expect(rows.getRowObjectsJson()).toEqual([
                {
                    customer_id: "1",
                    order_days: 3,
                    order_days_30: 3,
                    order_days_90: 3,
                    large_share: 2 / 3,
                    currency: "EUR",
                },
            ]);
            const inline = compileText(project, 'select total from {{ref "large_days"}} order by total desc');
            const large = await connection.runAndReadAll(inline.sql);
            expect(large.getRowsJson()).toEqual([["180.000000"], ["120.000000"]]);
            const assertion = compiled.nodes.get("no_negative_totals")!;
            expect(
                (await connection.runAndReadAll("sql" in assertion ? assertion.sql : "")).currentRowCount,
            ).toBe(0);
        } finally {
            connection.closeSync();
            instance.closeSync();
        }
    });

    it("leads each line back to the file it comes from", () => {
        const { sql, lineMap } = model(compiled, "customer_orders");
        const lines = sql.split("\n");
        const placeOf = (text: string) => {
            const { file, line, column } = lineMap[lines.findIndex((one) => one.includes(text))]!;
            return `${file}:${line}:${column}`;
        };
        expect(lineMap).toHaveLength(lines.length);
        expect(placeOf("from main.stg_orders")).toBe("models/base/order_days.sql:3:5");
        expect(placeOf("where total >= 100")).toBe("models/base/large_days.sql:2:1");
        expect(placeOf("order_days_30")).toBe("models/features/customer_orders.sql:17:5");
        expect(placeOf("order_days_90")).toBe("models/features/customer_orders.sql:17:5");
        expect(placeOf("nullif")).toBe("macros/rate.hbs:2:1");
        expect(placeOf("'EUR' as currency")).toBe("models/features/customer_orders.sql:23:5");
        expect(placeOf("from main.stg_customers")).toBe("models/features/customer_orders.sql:24:1");
        expect(lineMap[lines.indexOf("select * from (")]).toBeUndefined();
    });

    it("knows who reads whom, and sorts by that and then by name", () => {
        expect(model(compiled, "customer_orders").refs).toEqual([
            "order_days",
            "large_days",
            "stg_customers",
        ]);
        expect(model(compiled, "stg_customers").sources).toEqual(["customers"]);
        expect(model(compiled, "customer_score").refs).toEqual(["customer_orders"]);
        expect(compiled.order).toEqual([
            "countries",
            "stg_orders",
            "order_days",
            "orders_file",
            "stg_customers",
            "large_days",
            "customer_orders",
            "customer_facts",
            "customer_score",
            "customer_summary",
        ]);
    });

    it("is the same whatever the order of the files was", () => {
        const shuffled = compileProject({
            ...project,
            models: [...project.models].reverse(),
            seeds: [...project.seeds].reverse(),
        });
        expect(shuffled.order).toEqual(compiled.order);
        expect([...shuffled.nodes.keys()]).toEqual([...compiled.nodes.keys()]);
        expect(model(shuffled, "customer_orders")).toEqual(model(compiled, "customer_orders"));
    });

    it("lays {{config}} over yml and folder, and keeps the first comment as a description", () => {
        expect(model(compiled, "customer_orders").config).toMatchObject({
            materialized: "table",
            tags: ["features", "history"],
            grain: ["customer_id"],
            description: "One row per customer.",
        });
        expect(model(compiled, "stg_orders").config.description).toBe(
            "one row per order that was not cancelled",
        );
        expect(compiled.nodes.get("no_negative_totals")).toMatchObject({
            severity: "warn",
            description: "A total is never negative.",
        });
    });
});

describe("a template", () => {
    it("has no HTML escaping, and lists and ranges to walk over", async () => {
        expect(
            await sqlOf(
                `select {{#each (list "a" "b")}}'{{this}}' as {{this}}{{#unless @last}}, {{/unless}}{{/each}}`,
            ),
        ).toBe("select 'a' as a, 'b' as b");
        expect(
            await sqlOf("select {{#each (range 200 600 200)}}{{@index}} as m{{this}}, {{/each}}1 < 2"),
        ).toBe("select 0 as m200, 1 as m400, 2 as m600, 1 < 2");
        expect(await sqlOf('select {{#each (var "windows") as |days|}}{{days}} + {{/each}}0')).toBe(
            "select 30 + 90 + 0",
        );
        expect(await sqlOf(`select {{quote "it's"}}, [{{join (var "windows")}}]`)).toBe(
            "select 'it''s', [30, 90]",
        );
    });

    it("compares, and takes the branches that hold", async () => {
        const text = `select {{#if (eq (var "prices.decimals") 2)}}1{{else}}0{{/if}}, {{#if (ne (var "large_order") 100)}}1{{else}}0{{/if}}`;
        expect(await sqlOf(text)).toBe("select 1, 0");
    });

    it("reads only what it renders: a ref in a branch not taken is no edge", async () => {
        const changes = {
            "models/base/tried.sql": `select 1 as one {{#if (var "with_discounts")}}from {{ref "stg_orders"}}{{/if}}`,
        };
        expect(model(await compileShop(changes), "tried").refs).toEqual([]);
        const project = await loadShop(changes, { vars: { with_discounts: true } });
        expect(model(compileProject({ ...project }), "tried").refs).toEqual(["stg_orders"]);
    });

    it("passes refs through macros, and macros in macros see only what they are given", async () => {
        const compiled = await compileShop({
            "models/base/tried.sql": '{{> latest relation=(ref "stg_orders") key="customer_id"}}',
            "macros/latest.hbs":
                "select max({{> day column='order_date'}}), {{key}}\nfrom {{relation}}\ngroup by {{key}}\n",
            "macros/day.hbs": "date_trunc('day', {{column}})\n",
        });
        const { sql, refs, lineMap } = model(compiled, "tried");
        expect(sql).toBe(
            "select max(date_trunc('day', order_date)), customer_id\nfrom main.stg_orders\ngroup by customer_id",
        );
        expect(refs).toEqual(["stg_orders"]);
        expect(lineMap.map((place) => `${place?.file}:${place?.line}`)).toEqual([
            "macros/latest.hbs:1",
            "macros/latest.hbs:2",
            "macros/latest.hbs:3",
        ]);
    });

    it("keeps a macro's line end out of a line, and in where the macro stands alone", async () => {
        const macro = { "macros/one.hbs": "{{!-- one --}}\n1\n" };
        expect(await sqlOf("select {{> one}} as a,\n    {{> one}}\n    as b", macro)).toBe(
            "select 1 as a,\n    1\n    as b",
        );
    });

    it("knows its own name as {{this}} outside of blocks", async () => {
        expect(
            await sqlOf(
                "{{config materialized='table'}}select '{{this}}' as name, {{#each (list 7)}}{{this}}{{/each}} as seven",
            ),
        ).toBe("select 'main.tried' as name, 7 as seven");
    });

    it("reads the environment of the project, and defaults", async () => {
        const changes = {
            "models/base/tried.sql": `select '{{env_var "REGION"}}', '{{env_var "ZONE" "none"}}'`,
        };
        const compiled = await compileShop(changes, { env: { REGION: "south" } });
        expect(model(compiled, "tried").sql).toBe("select 'south', 'none'");
    });

    it("loses a closing semicolon and blank lines at its ends", async () => {
        expect(await sqlOf("\n\nselect 1 as one\n;\n\n")).toBe("select 1 as one");
        expect(await sqlOf("select ';' as one ; ")).toBe("select ';' as one");
    });

    it("takes inline macros, and a literal {{ with a backslash", async () => {
        expect(
            await sqlOf(
                '{{#*inline "sum_of"}}sum({{column}}){{/inline}}select {{> sum_of column="total"}}, \'\\{{x}}\'',
            ),
        ).toBe("select sum(total), '{{x}}'");
    });
});

describe("ephemeral models", () => {
    it("are nested once each, in the order they need, before a model that begins with its own with", async () => {
        const sql = model(
            await compileShop({
                "models/base/tried.sql":
                    'with order_days as (select * from {{ref "large_days"}}) select * from order_days',
                "models/features/reader.sql":
                    '{{config materialized="table"}}with recursive days as (select * from {{ref "tried"}}) select * from days union all select * from {{ref "order_days"}}',
            }),
            "reader",
        ).sql;
        expect(sql.match(/^(with )?ephemeral__\w+ as \(/gm)).toEqual([
            "with ephemeral__order_days as (",
            "ephemeral__large_days as (",
            "ephemeral__tried as (",
        ]);
        const instance = await DuckDBInstance.create(":memory:");
        const connection = await instance.connect();
        await connection.run(
            "create table stg_orders as select 1 as customer_id, date '2024-05-01' as order_date, 150 as total",
        );
        await connection.run(`create view reader as ${sql}`);
        expect((await connection.runAndReadAll("select * from reader")).currentRowCount).toBe(2);
        connection.closeSync();
        instance.closeSync();
    });
});

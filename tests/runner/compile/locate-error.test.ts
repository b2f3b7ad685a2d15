import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledModel } from "../../../runner/compile/compiled.ts";
import { describeSqlError } from "../../../runner/compile/locate-error.ts";
import { compileShop } from "../shop-project.ts";

let orders: CompiledModel;
beforeAll(async () => {
    const compiled = await compileShop({
        "models/features/customer_orders.sql": [
            "{{!-- one row per customer --}}",
            "select",
            '    {{#each (var "windows")}}',
            "    count(*) filter (where order_date > current_date - {{this}}) as days_{{this}},",
            "    {{/each}}",
            '    {{> rate part="sum(totl)" whole="count(*)"}}',
            "        as share",
            'from {{ref "order_days"}}',
        ].join("\n"),
        "models/marts/customer_facts.sql": "select 1 as one",
        "models/marts/customer_summary.sql": null,
    });
    orders = compiled.nodes.get("customer_orders") as CompiledModel;
});

async function duckdbMessage(statement: string): Promise<string> {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run("create table stg_orders (customer_id bigint, order_date date, total double)");
    const message = await connection.run(statement).then(
        () => "",
        (error: Error) => error.message,
    );
    connection.closeSync();
    instance.closeSync();
    return message;
}

describe("an error of DuckDB", () => {
    it("is led back to the template by the line that DuckDB shows", async () => {
        const message = await duckdbMessage(`create table main.customer_orders as\n${orders.sql}`);
        expect(message).toContain("LINE");
        const lines = describeSqlError({ node: orders, message }).split("\n");
        expect(lines[0]).toMatch(
            /^models\/features\/customer_orders\.sql: in macros\/rate\.hbs:2: Binder Error: Referenced column "totl" not found/,
        );
        const compiledLine = orders.sql.split("\n").findIndex((line) => line.includes("totl")) + 1;
        expect(lines.slice(-3)).toEqual([
            `compiled line ${compiledLine}:`,
            `${String(compiledLine).padStart(4)} |     (sum(totl))::double / nullif(count(*), 0)`,
            "     |          ^",
        ]);
    });

    it("is led back by an offset, when there is one", () => {
        const offset = orders.sql.indexOf("days_90");
        const text = describeSqlError({ node: orders, message: "Parser Error: no", offset });
        expect(text.split("\n")).toEqual([
            "models/features/customer_orders.sql:4: Parser Error: no",
            expect.stringMatching(/^compiled line \d+:$/),
            expect.stringMatching(/^ +\d+ | {4}count\(\*\) filter .* as days_90,$/),
            `     | ${" ".repeat(offset - orders.sql.lastIndexOf("\n", offset) - 1)}^`,
        ]);
    });

    it("names the file alone when nothing more is known", () => {
        expect(describeSqlError({ node: orders, message: "Out of Memory Error: failed to allocate\n" })).toBe(
            "models/features/customer_orders.sql: Out of Memory Error: failed to allocate",
        );
        const elsewhere = "Binder Error: no\n\nLINE 1: select nothing of ours\n               ^";
        expect(describeSqlError({ node: orders, message: elsewhere })).toBe(
            `models/features/customer_orders.sql: ${elsewhere}`,
        );
    });

    it("shows a piece of a very long line", async () => {
        const sql = `select\n    ${"order_date, ".repeat(30)}nothing, ${"order_date, ".repeat(30)}1 as one from stg_orders`;
        const node = { file: "models/wide.sql", sql, lineMap: [] };
        const text = describeSqlError({ node, message: await duckdbMessage(sql) });
        const [shown, caret] = text.split("\n").slice(-2);
        expect(shown!.length).toBeLessThan(180);
        expect(shown!.slice(caret!.indexOf("^"))).toMatch(/^nothing, /);
    });
});

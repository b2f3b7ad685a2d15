import { describe, expect, it } from "vitest";
import { CompileError, GraphError } from "../../../runner/errors.ts";
import { type Changes, compileShop, linesOf } from "../shop-project.ts";

/** Problems of a shop with one more model. */
function tried(text: string, more: Changes = {}): Promise<readonly string[]> {
    return linesOf(compileShop({ "models/base/tried.sql": text, ...more }));
}

describe("a name that does not exist", () => {
    it("is shown with its line, a caret and the nearest names", async () => {
        expect(await tried('select *\nfrom {{ref "stg_ordrs"}} as orders')).toEqual([
            [
                "models/base/tried.sql:2:6 there is no model or seed stg_ordrs; did you mean stg_orders?",
                '   2 | from {{ref "stg_ordrs"}} as orders',
                "     |      ^",
            ].join("\n"),
        ]);
    });

    it("is found in every file and every branch at once", async () => {
        const lines = await tried(
            [
                'select {{#if (var "with_discounts")}}{{ref "order_day"}}{{/if}}',
                '    {{var "large_orders"}}, {{source "order"}},',
                '    {{> rat part="a"}}, {{reff "stg_orders"}}, {{totals}}',
            ].join("\n"),
            {
                "tests/assertions/other.sql": 'select * from {{ref "nothing_like_it"}}',
                "macros/other.hbs": '{{var "windos"}}',
            },
        );
        expect(lines.map((line) => line.split("\n")[0])).toEqual([
            "macros/other.hbs:1:1 rebuild.yml has no variable windos; did you mean windows?",
            "models/base/tried.sql:1:38 there is no model or seed order_day; did you mean order_days?",
            "models/base/tried.sql:2:5 rebuild.yml has no variable large_orders; did you mean large_order?",
            "models/base/tried.sql:2:29 there is no source order; did you mean orders?",
            "models/base/tried.sql:3:5 there is no macro macros/rat.hbs; did you mean rate?",
            "models/base/tried.sql:3:25 there is no helper reff; did you mean ref?",
            expect.stringMatching(
                /^models\/base\/tried\.sql:3:50 there is no totals here; known are config, /,
            ),
            expect.stringMatching(
                /^tests\/assertions\/other\.sql:1:15 there is no model or seed nothing_like_it; known are countries, /,
            ),
        ]);
    });

    it("is told apart from its kin: a source, an assertion, a variable without its helper", async () => {
        const firstLine = async (text: string) =>
            (await tried(text))[0]!.split("\n")[0]!.replace(/^\S+ /, "");
        expect(await firstLine('select * from {{ref "customers"}}')).toBe(
            'there is no model or seed customers, but a source: {{source "customers"}}',
        );
        expect(await firstLine('select * from {{source "stg_orders"}}')).toBe(
            'there is no source stg_orders, but a model or seed: {{ref "stg_orders"}}',
        );
        expect(await firstLine('select * from {{ref "no_negative_totals"}}')).toBe(
            "ref to the assertion no_negative_totals: only models and seeds can be read",
        );
        expect(await firstLine("select {{large_order}}")).toBe(
            'there is no large_order here; a variable is {{var "large_order"}}',
        );
        expect(await firstLine("select {{#each windows}}{{this}}{{/each}}")).toBe(
            'there is no windows here; a variable is {{var "windows"}}',
        );
    });

    it("is an error in a macro too: what was not passed, and who called", async () => {
        expect(await tried('select\n{{> rate part="a"}}')).toEqual([
            [
                "macros/rate.hbs:2:31 there is no whole here: pass it, {{> name whole=...}}, called from models/base/tried.sql",
                "   2 | ({{part}})::double / nullif({{whole}}, 0)",
                "     |                               ^",
            ].join("\n"),
        ]);
    });

    it("is an error when it is made up while rendering", async () => {
        const lines = await tried(
            'select {{#each (list "a" "b")}}{{ref this}}, {{/each}}{{#each (var "large_order")}}{{/each}}',
        );
        expect(lines.map((line) => line.split("\n")[0])).toEqual([
            expect.stringMatching(/^models\/base\/tried\.sql:1:32 there is no model or seed a; known are /),
            'models/base/tried.sql:1:55 each takes a list or a map: {{#each (list 200 400)}}, {{#each (var "name")}}',
        ]);
    });

    it("is an error as an argument that a macro does not use", async () => {
        expect((await tried("select {{> rate part=1 hole=2 whole=2}}"))[0]!.split("\n")[0]).toBe(
            "models/base/tried.sql:1:8 macros/rate.hbs does not use hole; did you mean whole?",
        );
    });

    it("of an item or of @index is shown where the template asks for it", async () => {
        const firstLine = async (text: string) => (await tried(text))[0]!.split("\n")[0];
        expect(await firstLine("select\n{{#each (list 1)}}{{days}}{{/each}}")).toBe(
            "models/base/tried.sql:2:21 there is no days here",
        );
        expect(await firstLine("select {{@index}}")).toBe(
            "models/base/tried.sql:1:10 there is no @index here: it exists inside of {{#each}}",
        );
    });

    it("of the environment says what to do", async () => {
        expect((await tried("select '{{env_var \"REGION\"}}'"))[0]!.split("\n")[0]).toBe(
            'models/base/tried.sql:1:9 the environment variable REGION is not set; set it or give a default: {{env_var "REGION" "default"}}',
        );
    });
});

describe("a template that cannot be parsed", () => {
    const cases: readonly (readonly [string, string, string])[] = [
        [
            "a quote that is not closed",
            "select\n    1 as one,\n    {{ref 'stg_orders}} as a",
            "3:11 not a template: unexpected character (is a quote or a bracket missing?)",
        ],
        [
            "a block closed by another",
            "select {{#if (var 'a')}}\n1\n{{/each}}",
            "1:11 {{#if}} is closed by {{/each}}",
        ],
        [
            "a block that is not closed",
            "select\n{{#if (var 'large_order')}} 1",
            "2:30 the template ends inside a block or an expression: is a {{/...}} or a }} missing?",
        ],
        [
            "a comment that is not closed",
            "select 1\n{{!-- later",
            "2:1 this comment is not closed: {{!-- ... --}}",
        ],
        [
            "an else without a block",
            "select 1 {{/if}}",
            "1:10 not a template: unexpected {{/...}}: no block is open here",
        ],
    ];
    it.each(cases)("shows where: %s", async (_, text, expected) => {
        const [line] = await tried(text);
        expect(line!.split("\n")[0]).toBe(`models/base/tried.sql:${expected}`);
        expect(line).toMatch(/\n {3}\d \| .*\n {5}\| *\^$/);
    });

    it("does not hide the problems of other files", async () => {
        const lines = await tried("select {{#if}", {
            "models/base/order_days.sql": 'select {{var "nothing"}}',
        });
        expect(lines.map((line) => line.split(" ")[0])).toEqual([
            "models/base/order_days.sql:1:8",
            "models/base/tried.sql:1:13",
        ]);
    });
});

describe("helpers", () => {
    it("say how they are used", async () => {
        const lines = await tried(
            "select {{ref}}, {{ref 'stg_orders' 'b'}}, {{var}}, {{config 'view'}}, {{#each (list 1) (list 2)}}{{/each}}",
        );
        expect(lines.map((line) => line.split("\n")[0]!.replace(/^\S+ /, ""))).toEqual([
            'ref is used as {{ref "model"}}',
            'ref is used as {{ref "model"}}',
            'var is used as {{var "name"}} or {{var "name" default}}',
            'config is used as {{config materialized="view" tags="a,b"}}',
            expect.stringMatching(/^each takes a list or a map/),
        ]);
    });

    it("check {{config}} as yml is checked", async () => {
        expect(await tried('{{config materialised="view"}}\nselect 1 as one')).toEqual([
            [
                "models/base/tried.sql:1:1 config materialised: unknown key materialised; did you mean materialized?",
                '   1 | {{config materialised="view"}}',
                "     | ^",
            ].join("\n"),
        ]);
        const [line] = await tried('select 1\n  {{config materialized="views"}}');
        expect(line!.split("\n")[0]).toBe(
            'models/base/tried.sql:2:3 config materialized: found "views"; did you mean view?',
        );
    });

    it("stop macros that call themselves", async () => {
        expect(await tried("select {{> loop}}", { "macros/loop.hbs": "{{> loop}}" })).toEqual([
            "models/base/tried.sql macros/loop.hbs calls itself without an end",
        ]);
    });

    it("leave no ref to a DuckDB macro, which has no place in the order", async () => {
        const [line] = await linesOf(
            compileShop({
                "macros/clean_text.sql":
                    'create or replace macro days() as table select * from {{ref "stg_orders"}};',
            }),
        );
        expect(line).toBe(
            "macros/clean_text.sql:1:55 a DuckDB macro has no place in the order of models: pass stg_orders as a parameter, or write macros/clean_text.hbs",
        );
    });
});

describe("a graph that cannot be", () => {
    it("shows a cycle as a path, with the line of each ref", async () => {
        const work = compileShop({
            "models/base/order_days.sql": '-- days\nselect * from {{ref "customer_orders"}}',
        });
        await expect(work).rejects.toThrow(GraphError);
        const [line] = await linesOf(
            compileShop({ "models/base/order_days.sql": '-- days\nselect * from {{ref "customer_orders"}}' }),
        );
        expect(line).toBe(
            [
                "models/features/customer_orders.sql:8:19 models read each other in a circle: customer_orders → large_days → order_days → customer_orders",
                "    models/features/customer_orders.sql:8 reads large_days",
                "    models/base/large_days.sql:1 reads order_days",
                "    models/base/order_days.sql:2 reads customer_orders",
                "Take one of these refs out, or split a model in two.",
            ].join("\n"),
        );
    });

    it("shows a model that reads itself", async () => {
        const [line] = await tried('select * from {{ref "tried"}}');
        expect(line).toBe("models/base/tried.sql:1:15 tried reads itself: a model is made from others");
    });

    it("refuses to read what is disabled, and skips assertions about it", async () => {
        const disabled = {
            "models/base/order_days.yml": "model: order_days\nenabled: false\n",
        };
        const lines = await linesOf(compileShop(disabled));
        expect(lines.map((line) => line.split("\n")[0])).toEqual([
            "models/base/large_days.sql:1:15 ref to order_days, which is disabled (models/base/order_days.sql): enable it, or disable large_days too",
            "models/features/customer_orders.sql:4:19 ref to order_days, which is disabled (models/base/order_days.sql): enable it, or disable customer_orders too",
        ]);
        const compiled = await compileShop({
            ...disabled,
            "models/base/large_days.sql": '{{config enabled=false}}select * from {{ref "misspelt"}}',
            "models/features/customer_orders.sql": "{{config enabled=false}}",
            "models/marts/customer_facts.sql": "{{config enabled=false}}",
            "models/marts/customer_summary.sql": "{{config enabled=false}}",
        });
        expect([...compiled.nodes.keys()]).toEqual([
            "countries",
            "stg_orders",
            "orders_file",
            "stg_customers",
        ]);
        expect(compiled.warnings).toEqual([
            "tests/assertions/no_negative_totals.sql is not run: order_days is disabled",
        ]);
    });

    it("lets views of the target read published tables only, and nothing read them", async () => {
        const lines = await linesOf(
            compileShop({
                "models/marts/customer_summary.sql":
                    '{{config materialized="postgres_materialized_view"}}\nselect * from {{ref "stg_orders"}}, {{source "orders"}}, {{ref "countries"}}',
                "models/marts/after_summary.sql": 'select * from {{ref "customer_summary"}}',
            }),
        );
        expect(lines.map((line) => line.split("\n")[0])).toEqual([
            "models/marts/after_summary.sql:1:15 customer_summary is a postgres_materialized_view: it exists only in the target, and nothing here can read it",
            "models/marts/customer_summary.sql:2:15 a postgres_materialized_view reads published tables only: make stg_orders a table, view or postgres_table with the tag publish (it is view, not tagged publish)",
            "models/marts/customer_summary.sql:2:37 a postgres_materialized_view lives in the target and cannot read the source orders: read a published table",
            "models/marts/customer_summary.sql:2:58 a postgres_materialized_view reads published tables only: make countries a table, view or postgres_table with the tag publish (it is table, not tagged publish)",
        ]);
    });

    it("publishes tables only, each under a name of its own", async () => {
        const lines = await linesOf(
            compileShop({
                "models/marts/facts.sql": "select 1 as one",
                "models/marts/passing.sql": '{{config materialized="ephemeral"}}select 1 as one',
                "models/exports/nowhere.sql": '{{config materialized="external"}}select 1 as one',
            }),
        );
        expect(lines).toEqual([
            "models/exports/nowhere.sql is materialized as external, and nothing says where: add external: { path: target/name.parquet, format: parquet } to its yml",
            "models/marts/facts.sql is published as facts, as models/marts/customer_facts.sql is: names must differ, even in different schemas",
            "models/marts/passing.sql is tagged publish, and is materialized as ephemeral: only table, view, postgres_table and postgres_materialized_view can be published",
        ]);
    });

    it("is a CompileError for templates, with the exit code of a run that could not be made", async () => {
        const error = await compileShop({ "models/base/tried.sql": "{{x}}" }).catch(
            (caught: unknown) => caught,
        );
        expect(error).toBeInstanceOf(CompileError);
        expect((error as CompileError).exitCode).toBe(2);
    });

    it("refuses a model that renders to nothing", async () => {
        expect(await tried("{{!-- later --}}\n")).toEqual([
            "models/base/tried.sql renders to nothing: a model is one SELECT",
        ]);
    });
});

import { describe, expect, it } from "vitest";
import { compileShop, linesOf, loadShop } from "../shop-project.ts";

const source = (...lines: readonly string[]) => ({
    "models/sources.yml": ["sources:", "    customers:", ...lines.map((line) => `        ${line}`)].join(
        "\n",
    ),
    "models/staging/stg_orders.sql": null,
    "models/staging/stg_customers.sql": 'select * from {{source "customers"}}',
    "models/features/customer_orders.sql": null,
    "models/features/customer_orders.yml": null,
    "models/base/order_days.sql": null,
    "models/base/large_days.sql": null,
    "models/exports/orders_file.sql": null,
    "models/exports/exports.yml": null,
    "models/marts/customer_facts.sql": null,
    "models/marts/customer_facts.yml": null,
    "models/marts/customer_summary.sql": null,
    "tests/assertions/no_negative_totals.sql": null,
});

describe("what a source says of when it is known", () => {
    it("is said by a column, by its source for all, or by what the column is", async () => {
        const columns = async (...lines: readonly string[]) =>
            (await loadShop(source(...lines))).sources[0]!.columns.map(
                ({ name, isKnownDeclared }) => `${name} ${isKnownDeclared}`,
            );
        const declared = [
            "columns:",
            "    a: { type: bigint, known: before }",
            "    b: { type: bigint, surrogate: true }",
            "    c: { type: timestamp, version: true }",
            "    d: { type: bigint }",
        ];
        expect(await columns(...declared)).toEqual(["a true", "b true", "c true", "d false"]);
        expect(await columns("known: before", ...declared)).toEqual(["a true", "b true", "c true", "d true"]);
    });

    it("is checked against the source's own columns and their types", async () => {
        const lines = await linesOf(
            loadShop(
                source(
                    "identity: [customer]",
                    "alike: countri",
                    "columns:",
                    "    customer_id: { type: text, surrogate: true }",
                    "    country: { type: text, version: true }",
                ),
            ),
        );
        expect(lines).toEqual([
            expect.stringMatching(
                /\(sources\.customers\.identity\[0\]\) customer is not a declared column; did you mean customer_id\?/,
            ),
            expect.stringMatching(/alike\[0\]\) countri is not a declared column; did you mean country\?/),
            expect.stringMatching(/customer_id\) a surrogate is a whole number, found varchar/),
            expect.stringMatching(/country\) a version is a date or a timestamp, found varchar/),
        ]);
    });
});

describe("a model whose rows move from another one", () => {
    const moved = (movesFrom: string, asOf = "born") =>
        compileShop({
            "models/base/ahead.sql": "select 1 as id, date '2024-01-01' as born",
            "models/base/ahead.yml": `model: ahead\nmaterialized: table\ngrain: id\nas_of: ${asOf}\n`,
            "models/base/behind.sql": "select 1 as id, date '2024-01-01' as born",
            "models/base/behind.yml": `model: behind\nmaterialized: table\ngrain: id\nas_of: born\nmoves_from: ${movesFrom}\n`,
        });

    it("names one of the same as_of and grain", async () => {
        expect((await moved("ahead")).nodes.get("behind")).toMatchObject({ config: { movesFrom: "ahead" } });
        expect(await linesOf(moved("nobody"))).toEqual([
            expect.stringMatching(
                /^models\/base\/behind\.sql.* has moves_from: nobody, which is no other model/,
            ),
        ]);
        expect(await linesOf(moved("behind"))).toEqual([expect.stringContaining("which is no other model")]);
        expect(await linesOf(moved("ahead", "id"))).toEqual([
            expect.stringContaining("whose as_of and grain are not the same"),
        ]);
    });
});

describe("a surrogate of a model", () => {
    it("is no part of its grain: it identifies a row in one build alone", async () => {
        const keyed = (grain: string) =>
            compileShop({
                "models/base/keyed.sql": "select 1 as id, 2 as number",
                "models/base/keyed.yml": `model: keyed\ngrain: ${grain}\ncolumns: { id: {}, number: { surrogate: true } }\n`,
            });
        expect((await keyed("id")).nodes.get("keyed")).toMatchObject({ config: { grain: ["id"] } });
        expect(await linesOf(keyed("[id, number]"))).toEqual([
            expect.stringMatching(/^models\/base\/keyed\.sql.* has number in its grain.* name columns that/),
        ]);
    });
});

describe("the audit of rebuild.yml", () => {
    it("is five days of seed 1, unless it says otherwise, or off for a reason", async () => {
        const audit = async (text: string) =>
            (await loadShop({ "rebuild.yml": `name: shop\n${text}` })).audit;
        const shop =
            "vars: { windows: [30], prices: { currency: EUR, decimals: 2 }, large_order: 1, with_discounts: false }\n";
        expect(await audit(shop)).toEqual({ days: 5, seed: 1, history: 1500 });
        expect(await audit(`${shop}audit: { days: 9, seed: 4, history: whole }\n`)).toEqual({
            days: 9,
            seed: 4,
            history: "whole",
        });
        expect(await audit(`${shop}audit: { off: no outcomes are delivered yet }\n`)).toMatchObject({
            off: "no outcomes are delivered yet",
        });
        expect(await linesOf(audit(`${shop}audit: { off: "" }\n`))).toEqual([
            expect.stringContaining("(audit.off) must not be empty"),
        ]);
        expect(await linesOf(audit(`${shop}audit: { history: 3 }\n`))).toEqual([
            expect.stringContaining("(audit.history) must be at least 100, found 3"),
        ]);
    });
});

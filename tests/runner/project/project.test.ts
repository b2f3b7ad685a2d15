import { describe, expect, it } from "vitest";
import { loadProject } from "../../../runner/project/load-project.ts";
import { loadTypeScriptModel } from "../../../runner/project/load-typescript-model.ts";
import type { ModelFile, Project } from "../../../runner/project/project.ts";
import { linesOf, loadShop, problemsOf, shopRoot } from "../shop-project.ts";

function model(project: Project, name: string): ModelFile {
    return project.models.find((one) => one.name === name)!;
}

describe("a project that is whole", () => {
    it("is read with its models, seeds, macros and assertions in the order of their paths", async () => {
        const project = await loadProject({ root: shopRoot, env: {} });
        expect(project.name).toBe("shop");
        expect(project.models.map(({ file }) => file)).toEqual([
            "models/base/large_days.sql",
            "models/base/order_days.sql",
            "models/exports/orders_file.sql",
            "models/features/customer_orders.sql",
            "models/marts/customer_facts.sql",
            "models/marts/customer_summary.sql",
            "models/ratings/customer_score.ts",
            "models/staging/stg_customers.sql",
            "models/staging/stg_orders.sql",
        ]);
        expect(project.seeds.map(({ name }) => name)).toEqual(["countries"]);
        expect(project.macros.map(({ name, kind }) => [name, kind])).toEqual([
            ["clean_text", "duckdb"],
            ["joined_columns", "partial"],
            ["rate", "partial"],
        ]);
        expect(project.assertions.map(({ name }) => name)).toEqual(["no_negative_totals"]);
    });

    it("is frozen all the way down", async () => {
        const project = await loadShop();
        expect(Object.isFrozen(project)).toBe(true);
        expect(Object.isFrozen(project.models[0]!.config.tags)).toBe(true);
        expect(Object.isFrozen(project.sources[0]!.columns[0])).toBe(true);
    });

    it("takes a model's settings from its yml before its folder before the defaults, and adds tags up", async () => {
        const project = await loadShop({
            "models/marts/customer_facts.yml":
                "model: customer_facts\nmaterialized: table\ntags: [wide, publish]\n",
        });
        const { config } = model(project, "customer_facts");
        expect(config.materialized).toBe("table");
        expect(config.tags).toEqual(["publish", "wide"]);
        expect(config.publish).toEqual({
            schema: "shop",
            primaryKey: [],
            indexes: [],
            policies: [],
            mode: "swap",
            rowSecurity: false,
            grantSelect: ["reader"],
        });
        expect(model(project, "stg_orders").config.materialized).toBe("view");
        expect(model(project, "customer_orders").config.materialized).toBe("table");
    });

    it("gives an inner folder's settings precedence over the outer one's", async () => {
        const project = await loadShop({
            "rebuild.yml":
                "name: shop\nmodels:\n  materialized: view\n  tags: [all]\n  marts:\n    +materialized: table\n    daily: { materialized: ephemeral, tags: [daily] }\n",
            "models/marts/daily/days.sql": "select 1 as one",
        });
        expect(model(project, "stg_orders").config.materialized).toBe("view");
        expect(model(project, "customer_facts").config.materialized).toBe("table");
        expect(model(project, "days").config.materialized).toBe("ephemeral");
        expect(model(project, "days").config.tags).toEqual(["all", "daily"]);
    });

    it("reads the tests of columns in their short and long forms", async () => {
        const { config } = model(await loadShop(), "customer_orders");
        const tests = Object.fromEntries(config.columns.map(({ name, tests }) => [name, tests]));
        expect(tests.customer_id).toEqual([
            { type: "not_null", severity: "error" },
            { type: "unique", severity: "error" },
        ]);
        expect(tests.order_days).toEqual([{ type: "range", severity: "warn", min: 0 }]);
        expect(tests.currency).toEqual([
            { type: "accepted_values", severity: "error", values: ["EUR", "USD"] },
            { type: "not_null", severity: "error", where: "order_days > 0" },
        ]);
        expect(config.tests).toEqual([
            { type: "unique_combination", severity: "error", columns: ["customer_id", "currency"] },
        ]);
    });

    it("expands repeated source columns and writes types as DuckDB does", async () => {
        const project = await loadShop();
        const orders = project.sources.find(({ name }) => name === "orders")!;
        expect(orders.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
            "order_id bigint",
            "customer_id bigint",
            "order_date date",
            "total decimal(18,6)",
            "status varchar",
            "item_1 decimal(10,2)",
            "item_2 decimal(10,2)",
            "item_3 decimal(10,2)",
            "note_de varchar",
            "note_en varchar",
        ]);
        expect(orders.identifier).toBe("shop_orders");
        expect(orders.clock).toEqual({ column: "order_date" });
        expect(orders.columns[4]).toMatchObject({ known: "after", knownBeforeValues: ["CANCELLED"] });
        expect(orders.columns[5]!.description).toBe("Price of item 1.");
        expect(orders.columns[8]!.optional).toBe(true);
    });

    it("learns refs and columns of a TypeScript model from its module", async () => {
        const project = await loadProject({ root: shopRoot, env: {} });
        const score = model(project, "customer_score");
        expect(score).toMatchObject({ language: "typescript", refs: ["customer_orders"] });
        const module = await loadTypeScriptModel(shopRoot, score.file);
        expect(module.columns).toEqual({ customer_id: "bigint", score: "double" });
    });

    it("takes several documents in one yml, and line ends of either kind", async () => {
        const project = await loadShop({
            "models/staging/staging.yml":
                "model: stg_orders\r\ndescription: Orders.\r\n---\r\nmodel: stg_customers\r\ndescription: Customers.\r\n",
        });
        expect(model(project, "stg_customers").config.description).toBe("Customers.");
        expect(model(project, "stg_orders").configFile).toBe("models/staging/staging.yml");
    });

    it("lays --vars over those of rebuild.yml, and refuses names that are not there", async () => {
        const project = await loadShop({}, { vars: { large_order: 5 } });
        expect(project.vars.large_order).toBe(5);
        expect(await linesOf(loadShop({}, { vars: { large_oder: 5 } }))).toEqual([
            " --vars sets large_oder, which is not among the vars of rebuild.yml; did you mean large_order?",
        ]);
    });
});

describe("a project that is broken", () => {
    it("has all problems of all files in one error, each with its place and key", async () => {
        const lines = await linesOf(
            loadShop({
                "rebuild.yml": "name: shop\nvariables: {}\nmodels:\n    featurs: { materialized: table }\n",
                "models/features/customer_orders.yml": [
                    "model: customer_orders",
                    "materialised: table",
                    "columns:",
                    "    order_days:",
                    "        type: usmalint",
                    "        tests: [not_nul]",
                ].join("\n"),
                "models/marts/customer_facts.yml": "model: customer_fact\n",
                "profiles.yml":
                    "default: files\ntargets:\n    files:\n        source: { type: file, path: data }\n",
            }),
        );
        expect(lines).toEqual([
            "models/features/customer_orders.yml:2:1 (materialised) unknown key materialised; did you mean materialized?",
            expect.stringMatching(
                /^models\/features\/customer_orders\.yml:5:9 \(columns\.order_days\.type\) unknown type usmalint; did you mean usmallint or smallint\?/,
            ),
            "models/features/customer_orders.yml:6:17 (columns.order_days.tests[0].not_nul) unknown key not_nul; did you mean not_null?",
            "models/marts/customer_facts.yml:1:1 (model) there is no .sql file, and no .ts file with a default export, of this name under models/: customer_fact; did you mean customer_facts?",
            'profiles.yml:4:19 (targets.files.source.type) its type must be one of postgres, files, sandbox, found "file"',
            "rebuild.yml:2:1 (variables) unknown key variables; allowed are name, vars, lint, models, seeds, phases, serve, audit",
        ]);
    });

    it("names a folder of rebuild.yml that does not exist", async () => {
        const [line] = await linesOf(
            loadShop({ "rebuild.yml": "name: shop\nmodels:\n    featurs: { tags: [a] }\n" }),
        );
        expect(line).toBe(
            "rebuild.yml:3:5 (models.featurs) neither a folder under models nor a setting; did you mean features?",
        );
    });

    it("lists the types that exist", async () => {
        const [line] = await linesOf(
            loadShop({
                "models/sources.yml":
                    "sources:\n    orders:\n        columns:\n            a: { type: usmalint }\n",
            }),
        );
        expect(line).toMatch(
            /^models\/sources\.yml:4:18 \(sources\.orders\.columns\.a\.type\) unknown type usmalint; did you mean usmallint or smallint\?/,
        );
        expect(line).toMatch(/Allowed are bigint, blob, boolean, .*decimal\(p,s\)/);
    });

    it("shows where YAML itself is wrong", async () => {
        const lines = await linesOf(
            loadShop({ "models/marts/customer_facts.yml": "model: customer_facts\ntags: [a\ngrain: b\n" }),
        );
        expect(lines[0]).toMatch(/^models\/marts\/customer_facts\.yml:3:\d+ not valid YAML: /);
        const twice = await linesOf(loadShop({ "rebuild.yml": "name: a\nname: b\n" }));
        expect(twice[0]).toMatch(/^rebuild\.yml:2:1 not valid YAML: Map keys must be unique/);
    });

    it("refuses one name for two nodes, and names both files", async () => {
        const lines = await linesOf(
            loadShop({
                "models/marts/stg_orders.sql": "select 1 as one",
                "seeds/large_days.csv": "a\n1\n",
                "tests/assertions/order_days.sql": "select 1",
            }),
        );
        expect(lines.map((line) => line.replace(/; names.*/, ""))).toEqual([
            "models/staging/stg_orders.sql the name stg_orders is taken by models/marts/stg_orders.sql",
            "seeds/large_days.csv the name large_days is taken by models/base/large_days.sql",
            "tests/assertions/order_days.sql the name order_days is taken by models/base/order_days.sql",
        ]);
    });

    it("refuses file names that SQL would have to quote, and a model described twice", async () => {
        const lines = await linesOf(
            loadShop({
                "models/base/Order-Days.sql": "select 1 as one",
                "models/marts/again.yml": "model: stg_orders\n---\nmodel: stg_orders\n",
            }),
        );
        expect(lines).toEqual([
            "models/base/Order-Days.sql Order-Days cannot be a name: use a-z, 0-9 and _, and begin with a letter or _; rename the file",
            "models/marts/again.yml:3:1 (model) the model stg_orders is described in models/marts/again.yml already; keep one of the two",
        ]);
    });

    it("checks what sources say of each other", async () => {
        const lines = await linesOf(
            loadShop({
                "models/sources.yml": [
                    "sources:",
                    "    customers:",
                    "        primary_key: customer",
                    "        columns:",
                    "            customer_id: { type: bigint, known: after }",
                    "    orders:",
                    "        clock: { source: customer, column: joined, on: order_id }",
                    "        columns:",
                    "            order_id: { type: bigint }",
                    '            "item_{n}": { type: bigint, each: { m: [1, 2] } }',
                    "    visits:",
                    "        known: after",
                    "        clock: customer_id",
                    "        columns:",
                    "            customer_id: { type: bigint }",
                ].join("\n"),
            }),
        );
        expect(lines).toEqual([
            "models/sources.yml:2:5 (sources.customers) customer_id is known: after, but nothing says when: add clock: with the date column that dates it, or clock: { source, column, on }",
            "models/sources.yml:3:9 (sources.customers.primary_key[0]) customer is not a declared column; did you mean customer_id?",
            "models/sources.yml:7:18 (sources.orders.clock.source) there is no source customer; did you mean customers?",
            "models/sources.yml:10:49 (sources.orders.columns.item_{n}.each.m) the column's name has no {m} for it",
            "models/sources.yml:13:9 (sources.visits.clock) a clock is a date or a timestamp, and visits.customer_id is bigint",
        ]);
    });

    it("names the model or seed that a relationship misses", async () => {
        const [line] = await linesOf(
            loadShop({
                "models/marts/customer_facts.yml":
                    "model: customer_facts\ncolumns:\n    customer_id:\n        tests: [{ relationships: { to: stg_customer, field: customer_id } }]\n",
            }),
        );
        expect(line).toBe(
            "models/marts/customer_facts.yml:4:36 (columns.customer_id.tests[0].relationships.to) there is no model or seed stg_customer; did you mean stg_customers?",
        );
    });

    it("says what is wrong with values, in the words of the file", async () => {
        const lines = await linesOf(
            loadShop({
                "models/marts/customer_facts.yml": [
                    "model: customer_facts",
                    "enabled: yes please",
                    "materialized: tabel",
                    "grain: 3",
                    "columns:",
                    "    customer_id: { range: [5, 1], tests: [{ accepted_values: [] }, { range: {} }, { severity: warn }] }",
                    "publish: { indexes: [{ unique: true }] }",
                ].join("\n"),
            }),
        );
        expect(lines).toEqual([
            'models/marts/customer_facts.yml:2:1 (enabled) must be true or false, found "yes please"',
            'models/marts/customer_facts.yml:3:1 (materialized) found "tabel"; did you mean table?',
            "models/marts/customer_facts.yml:4:1 (grain) must be text or a list, found 3",
            "models/marts/customer_facts.yml:6:45 (columns.customer_id.tests[0].accepted_values) must not be empty",
            "models/marts/customer_facts.yml:7:22 (publish.indexes[0].columns) missing; it must be a list",
        ]);
        const later = await linesOf(
            loadShop({
                "models/marts/customer_facts.yml":
                    "model: customer_facts\ncolumns:\n    customer_id: { range: [5, 1], tests: [{ range: {} }, { severity: warn }] }\n",
            }),
        );
        expect(later).toEqual([
            "models/marts/customer_facts.yml:3:20 (columns.customer_id.range) its lower end 5 is above its upper end 1",
            "models/marts/customer_facts.yml:3:43 (columns.customer_id.tests[0]) a range needs min, max or both",
            "models/marts/customer_facts.yml:3:58 (columns.customer_id.tests[1]) names no test; tests of a column are not_null, unique, accepted_values, relationships, range",
        ]);
    });

    it("says which file is missing", async () => {
        const [line] = await linesOf(loadShop({ "rebuild.yml": null }));
        expect(line).toMatch(/^rebuild\.yml not found in .*--project-dir$/);
    });

    it("reports TypeScript files that cannot be loaded or are no model, and takes modules that models share", async () => {
        const problems = await problemsOf(
            loadShop({
                "models/ratings/shared-weights.ts": "export const weights = [1, 2];\n",
                "models/ratings/broken_model.ts": 'throw new Error("no luck");\n',
                "models/ratings/half_model.ts": 'export default { refs: "stg_orders", columns: {} };\n',
            }),
        );
        expect(problems.map(({ file, key }) => [file, key])).toEqual([
            ["models/ratings/broken_model.ts", undefined],
            ["models/ratings/half_model.ts", "default.refs"],
            ["models/ratings/half_model.ts", "default.run"],
        ]);
        expect(problems[0]!.message).toBe("cannot be loaded: no luck");
    });
});

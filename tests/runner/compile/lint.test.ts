import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import { type LintFinding, lintProject } from "../../../runner/compile/lint/lint-project.ts";
import type { ModelConfig, ModelFile, Project } from "../../../runner/project/project.ts";
import { rebuild } from "../command-line.ts";
import { type Changes, loadShop, problemsOf, shopRoot, withShop } from "../shop-project.ts";

const dated = (name: string, more = "") => `model: ${name}\ngrain: [order_id]\nas_of: order_date\n${more}`;

/** What the lint finds in a shop with this model beside the others. */
async function lintShop(changes: Changes): Promise<readonly LintFinding[]> {
    const project = await loadShop(changes);
    return lintProject(project, compileProject(project));
}

let shop: Promise<Project> | undefined;

/** The rule of each finding in one model of orders, in the order of its lines. */
async function rulesOf(sql: string, asOf: Pick<ModelConfig, "asOf"> = { asOf: "order_date" }) {
    shop ??= loadShop();
    const project = await shop;
    const config: ModelConfig = {
        materialized: "table",
        enabled: true,
        tags: [],
        description: "",
        grain: ["order_id"],
        columns: [],
        tests: [],
        ...asOf,
    };
    const file = "models/features/seen.sql";
    const model: ModelFile = { name: "seen", language: "sql", file, text: sql, config };
    const changed = { ...project, models: [...project.models, model] };
    const found = lintProject(changed, compileProject(changed));
    return found.filter(({ accepted }) => accepted === undefined).map(({ rule }) => rule);
}

const over = (window: string, call = "sum(total)", from = '{{ref "stg_orders"}}') =>
    `select order_id, order_date, ${call} over (${window}) as seen from ${from}`;
const perDay = `(select customer_id, order_date, sum(total) as total from {{ref "stg_orders"}} group by customer_id, order_date) as days`;
const customer = "partition by customer_id order by";

describe("frames of models with as_of", () => {
    const clean: Readonly<Record<string, string>> = {
        "days before": over(
            `${customer} order_date range between unbounded preceding and interval 1 day preceding`,
        ),
        "a month before": over(
            `${customer} order_date range between interval '30' day preceding and interval '1' day preceding`,
        ),
        "rows, one a day": over(
            `${customer} order_date rows between unbounded preceding and 1 preceding`,
            "sum(total)",
            perDay,
        ),
        "the day before, one row a day": over(`${customer} order_date`, "lag(total)", perDay),
        "groups of days before": over(`${customer} order_date groups between 5 preceding and 1 preceding`),
        "everything but the day": over(
            `${customer} order_date range between unbounded preceding and current row exclude group`,
        ),
        "later days backwards": over(
            `${customer} order_date desc range between interval 1 day following and unbounded following`,
        ),
        "a whole partition": over("partition by order_date"),
        "a rank": over("partition by order_date order by total", "rank()"),
        "frames in texts and comments": `select order_id, order_date, 'rows between 1 preceding and current row' as text /* over (order by x) */ from {{ref "stg_orders"}} -- lead(x) over (order by y)`,
    };
    it.each(Object.entries(clean))("are clean: %s", async (_, sql) => {
        expect(await rulesOf(sql)).toEqual([]);
    });

    const risky: readonly (readonly [string, string, string])[] = [
        [
            "rows by day and id",
            "frame-not-by-day",
            over(`${customer} order_date, order_id rows between unbounded preceding and 1 preceding`),
        ],
        [
            "rows by day that can tie",
            "frame-not-by-day",
            over(`${customer} order_date rows between 5 preceding and 1 preceding`),
        ],
        [
            "rows by day of days of others",
            "frame-not-by-day",
            over("order by order_date rows between 5 preceding and 1 preceding", "sum(total)", perDay),
        ],
        [
            "rows by id",
            "frame-not-by-day",
            over(`${customer} order_id rows between 5 preceding and 1 preceding`),
        ],
        ["the row before", "frame-not-by-day", over(`${customer} order_date, order_id`, "lag(total)")],
        [
            "a range by another column",
            "frame-not-by-day",
            over(`${customer} order_id range between unbounded preceding and 1 preceding`),
        ],
        [
            "the row itself",
            "current-row",
            over(`${customer} order_id rows between 4 preceding and current row`),
        ],
        ["the short form", "current-row", over(`${customer} order_id rows 4 preceding`)],
        [
            "the day itself",
            "current-row",
            over(`${customer} order_date range between unbounded preceding and interval 0 day preceding`),
        ],
        [
            "the day itself, one row a day",
            "current-row",
            over(
                `${customer} order_date rows between unbounded preceding and current row`,
                "sum(total)",
                perDay,
            ),
        ],
        ["no frame", "default-frame", over(`${customer} order_date`)],
        ["the next row", "reads-ahead", over(`${customer} order_date, order_id`, "lead(total)")],
        [
            "days after",
            "reads-ahead",
            over(
                `${customer} order_date range between interval 1 day following and interval 9 day following`,
            ),
        ],
        [
            "days before, backwards",
            "reads-ahead",
            over(
                `${customer} order_date desc range between unbounded preceding and interval 1 day preceding`,
            ),
        ],
    ];
    it.each(risky)("are pointed at: %s is %s", async (_, rule, sql) => {
        expect(await rulesOf(sql)).toEqual([rule]);
    });

    it("are found once for a named window, and through a window that builds on another", async () => {
        const sql = `
            select order_id, order_date, sum(total) over so_far as a, max(total) over so_far as b, min(total) over longer as c
            from {{ref "stg_orders"}}
            window
                customers as (partition by customer_id order by order_id),
                so_far as (customers rows between 4 preceding and current row),
                longer as (customers rows between 9 preceding and 1 preceding)`;
        expect(await rulesOf(sql)).toEqual(["current-row", "frame-not-by-day"]);
    });

    it("do not matter in models without as_of", async () => {
        const sql = over(`${customer} order_id rows between 4 preceding and current row`);
        expect(await rulesOf(sql, {})).toEqual([]);
    });
});

describe("choices among rows", () => {
    const orders = '{{ref "stg_orders"}}';
    const risky: readonly (readonly [string, string])[] = [
        [
            "unordered-pick",
            `select customer_id, any_value(total) as total from ${orders} group by customer_id`,
        ],
        ["unordered-pick", `select customer_id, list(total) as totals from ${orders} group by customer_id`],
        ["unordered-pick", `select *, row_number() over () as number from ${orders}`],
        ["unordered-pick", `select * from ${orders} limit 3`],
        ["unordered-pick", `select distinct on (customer_id) * from ${orders}`],
        [
            "tie-break",
            `select customer_id, first(total order by order_date) as total from ${orders} group by customer_id`,
        ],
        [
            "tie-break",
            `select customer_id, arg_max(total, order_date) as total from ${orders} group by customer_id`,
        ],
        [
            "tie-break",
            `select * from ${orders} qualify row_number() over (partition by customer_id order by order_date desc) = 1`,
        ],
        ["tie-break", `select * from ${orders} order by order_date limit 3`],
        ["tie-break", `select distinct on (customer_id) * from ${orders} order by order_date`],
        ["random", `select *, random() as chance from ${orders}`],
        ["random", `select * from ${orders} using sample 10 percent`],
        ["clock", `select *, current_date - order_date as age from ${orders}`],
        ["clock", `select * from ${orders} where order_date < now()::date`],
        ["clock", `select *, (select max(today()) from {{ref "countries"}}) as today from ${orders}`],
    ];
    it.each(risky)("are pointed at: %s in %s", async (rule, sql) => {
        expect(await rulesOf(sql)).toEqual([rule]);
    });

    const clean: readonly string[] = [
        `select customer_id, first(total order by order_date, order_id) as total from ${orders} group by customer_id`,
        `select customer_id, arg_max(total, order_id) as total from ${orders} group by all`,
        `select * from ${orders} qualify row_number() over (partition by customer_id order by order_date desc, order_id) = 1`,
        `select * from ${orders} order by order_date, order_id limit 3`,
        `with numbered as (
            select *, (row_number() over (partition by customer_id order by order_id))::integer as number from ${orders}
        )
        select * from numbered qualify row_number() over (partition by customer_id order by number desc) = 1`,
        `with latest as (
            select customer_id, total from ${orders}
            qualify row_number() over (partition by customer_id order by order_id desc) = 1
        )
        select *, row_number() over (order by customer_id) as number from latest`,
        `select *, row_number() over (order by country) as number from (select distinct country from {{ref "stg_customers"}})`,
        `select today, random, date_diff('day', now, today) as days from (select order_date as today, total as random, order_date as now from ${orders})`,
    ];
    it.each(clean)("with a unique order are clean: %s", async (sql) => {
        expect(await rulesOf(sql)).toEqual([]);
    });

    it("know a key through the key of what is joined", async () => {
        const sql = `select orders.order_id, countries.region, row_number() over (partition by customers.customer_id order by orders.order_id) as number
            from ${orders} as orders
            inner join {{ref "stg_customers"}} as customers on orders.customer_id = customers.customer_id
            left join {{ref "countries"}} as countries on customers.country = countries.country`;
        expect(await rulesOf(sql)).toEqual([]);
        expect(await rulesOf(sql.replace("order by orders.order_id", "order by countries.country"))).toEqual([
            "tie-break",
        ]);
    });

    it("are looked at in models and macros that a model with as_of reads, and in no others", async () => {
        const changes = {
            "models/base/picked.sql": `select customer_id, any_value(total) as total from ${orders} group by customer_id`,
            "macros/age.sql": "create or replace macro age_in_days(day) as\n    current_date - day;",
        };
        const readers = { "models/features/seen.sql": 'select * from {{ref "picked"}}' };
        const found = await lintShop({ ...changes, ...readers, "models/features/seen.yml": dated("seen") });
        expect(found.map(({ file, line, column, rule }) => [file, line, column, rule])).toEqual([
            ["macros/age.sql", 2, 5, "clock"],
            ["models/base/picked.sql", 1, 21, "unordered-pick"],
        ]);
        expect(await lintShop({ ...changes, ...readers, "models/features/seen.yml": "model: seen" })).toEqual(
            [],
        );
    });
});

describe("a TypeScript model that a model with as_of reads", () => {
    const script = (body: string) => `// new Date() in a comment
export default { refs: [], columns: { order_id: "bigint" }, async run() {
    ${body}
} };
`;
    const changes = (body: string, yml: string): Changes => ({
        "models/ratings/scored.ts": script(body),
        "models/ratings/scored.yml": yml,
        "models/features/seen.sql": 'select * from {{ref "scored"}}',
        "models/features/seen.yml": dated("seen"),
    });

    it("is pointed at where it asks the clock or chance, unless its yml accepts that", async () => {
        const clock = 'const day = new Date(); const text = "Math.random()";';
        const yml = (rules: string) => `model: scored\nlint: { accept: { ${rules} } }`;
        const smooth = "history-length: the same for many";
        const [, found, ...others] = await lintShop(changes(clock, yml(smooth)));
        expect(found).toMatchObject({ rule: "clock", file: "models/ratings/scored.ts", line: 3, column: 17 });
        expect(others).toEqual([]);
        const drawn = yml(`${smooth}, random: it draws the same numbers`);
        expect(await lintShop(changes("Math.random();", drawn))).toMatchObject([
            { rule: "history-length", accepted: "the same for many" },
            { rule: "random", accepted: "it draws the same numbers" },
        ]);
        const [length, ...more] = await lintShop(changes("new Date(0);", "model: scored"));
        expect(length).toMatchObject({ rule: "history-length", file: "models/ratings/scored.ts", line: 1 });
        expect(length).not.toHaveProperty("accepted");
        expect(more).toEqual([]);
    });
});

describe("a place", () => {
    it("is the template's line and column, in a macro too, and names every model", async () => {
        const macro = `sum({{value}}) over (
    partition by customer_id order by order_id
    rows between 4 preceding and current row
)`;
        const sql = (value: string) =>
            `select order_id, order_date,\n    {{> rolling value="${value}"}} as rolling\nfrom {{ref "stg_orders"}}`;
        const [found, ...others] = await lintShop({
            "macros/rolling.hbs": macro,
            "models/features/one.sql": sql("total"),
            "models/features/one.yml": dated("one"),
            "models/features/two.sql": sql("total * 2"),
            "models/features/two.yml": dated("two"),
        });
        expect(others).toEqual([]);
        expect(found).toMatchObject({
            rule: "current-row",
            file: "macros/rolling.hbs",
            line: 3,
            column: 5,
            models: ["one", "two"],
        });
        expect(found!.snippet).toBe("   3 |     rows between 4 preceding and current row\n     |     ^");
    });
});

describe("an acceptance", () => {
    const frame = "rows between 4 preceding and current row";
    const windows = (comment: string) => `
        with past as (
            select order_id, order_date, sum(total) over so_far as a, sum(total) over longer as b
            from {{ref "stg_orders"}}
            ${comment}
            window
                so_far as (partition by customer_id order by order_id ${frame}),
                longer as (partition by customer_id order by order_id ${frame})
        )
        select * from past`;
    const accepted = "-- lint: accept current-row: read through a pointer to an earlier day";

    it("covers the line below it and what is opened there", async () => {
        expect(await rulesOf(windows(accepted))).toEqual([]);
        const cte = windows("").replace("with past as (", `with\n${accepted}\npast as (`);
        expect(await rulesOf(cte)).toEqual([]);
        const first = windows("").replace("so_far as (partition", `${accepted}\nso_far as (partition`);
        expect(await rulesOf(first)).toEqual(["current-row"]);
        const end = windows("").replace(`${frame}),`, `${frame}), ${accepted}`);
        expect(await rulesOf(end)).toEqual(["current-row"]);
    });

    it("can stand in the yml of the model", async () => {
        const yml = dated("seen", "lint: { accept: { current-row: read through a pointer } }");
        const found = await lintShop({
            "models/features/seen.sql": windows(""),
            "models/features/seen.yml": yml,
        });
        expect(found.map((one) => one.accepted)).toEqual([
            "read through a pointer",
            "read through a pointer",
        ]);
        const none = yml.replace("read through a pointer", '" "');
        const [problem] = await problemsOf(
            lintShop({ "models/features/seen.sql": windows(""), "models/features/seen.yml": none }),
        );
        expect(problem).toMatchObject({ key: "lint.accept.current-row" });
    });

    it("is told when it has no reason, no rule, or nothing left to accept", async () => {
        const say = async (comment: string) => {
            const found = await lintShop({
                "models/features/seen.sql": windows(comment),
                "models/features/seen.yml": dated("seen"),
            });
            return found
                .filter(({ rule }) => rule === "acceptance")
                .map(({ line, message }) => `${line} ${message}`);
        };
        expect(await say("-- lint: accept current-row")).toEqual([
            expect.stringMatching(/^5 current-row is accepted without a reason/),
        ]);
        expect(await say("-- lint: accept curent-row: because")).toEqual([
            expect.stringMatching(/^5 .*did you mean current-row\?/),
        ]);
        expect(await say("-- lint: ignore this")).toEqual([
            expect.stringMatching(/^5 not understood: write `-- lint: accept/),
        ]);
        expect(await say("-- lint: accept clock: because")).toEqual([
            expect.stringMatching(/^5 clock is accepted here, and there is nothing/),
        ]);
        expect(await say(accepted)).toEqual([]);
        const yml = dated("seen", "lint: { accept: { random: because } }");
        const found = await lintShop({
            "models/features/seen.sql": windows(accepted),
            "models/features/seen.yml": yml,
        });
        expect(found.filter(({ rule }) => rule === "acceptance")).toHaveLength(1);
    });
});

describe("rebuild lint", () => {
    const leaky: Changes = {
        "models/features/seen.sql": over(`${customer} order_date`),
        "models/features/seen.yml": dated("seen"),
    };
    const settings = readFileSync(`${shopRoot}/rebuild.yml`, "utf8");
    const withLevel = (level: string): Changes => ({
        ...leaky,
        "rebuild.yml": `${settings}\nlint: { default-frame: ${level} }\n`,
    });
    const command = (changes: Changes, ...args: readonly string[]) =>
        withShop(changes, (root) => rebuild(args, { cwd: root }));

    it("lists warnings with a caret and ends well", async () => {
        const { stdout, stderr, code } = await command(leaky, "lint");
        expect(stdout).toMatch(
            /^models\/features\/seen\.sql:1:46 WARN default-frame: .*\n +1 \| select .*\n +\| +\^$/m,
        );
        expect(stderr).toContain("Lint: 1 warning, 0 errors, 0 accepted with a reason");
        expect(code).toBe(0);
        const json = JSON.parse((await command(leaky, "lint", "--json", "--select", "+seen")).stdout);
        expect(json).toMatchObject([
            { rule: "default-frame", level: "warn", models: ["seen"], line: 1, column: 46 },
        ]);
        const compiled = await command(leaky, "compile");
        expect(compiled.stderr).toContain(
            "WARN lint: 1 warning (1 default-frame); `rebuild lint` shows where",
        );
        expect(compiled.code).toBe(0);
    });

    it("makes of a rule what rebuild.yml says", async () => {
        const failed = await command(withLevel("error"), "lint");
        expect(failed.stdout).toContain("ERROR default-frame");
        expect(failed.code).toBe(1);
        const stopped = await command(withLevel("error"), "run");
        expect(stopped.stderr).toMatch(/models\/features\/seen\.sql:1:46: default-frame: /);
        expect(stopped.code).toBe(2);
        expect(await lintShop(withLevel('"off"'))).toEqual([]);
        const [unknown] = await problemsOf(lintShop(withLevel("never")));
        expect(unknown).toMatchObject({
            key: "lint.default-frame",
            message: expect.stringMatching(/off, warn, error/),
        });
    });
});

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../runner/errors.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import type { Extracted } from "../../runner/extract/extraction.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import type { Project, Source } from "../../runner/project/project.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
    database = await createDatabase("extract");
    folder = await mkdtemp(join(tmpdir(), "rebuild-extract-"));
});
afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
});

type Declared = Readonly<Record<string, string | { type: string; optional?: boolean; nullable?: boolean }>>;

function source(name: string, columns: Declared, rest: Partial<Source> = {}): Source {
    return {
        name,
        identifier: name,
        description: "",
        primaryKey: [],
        identity: [],
        known: "before",
        file: "models/sources.yml",
        columns: Object.entries(columns).map(([column, declared]) => ({
            name: column,
            optional: false,
            nullable: true,
            known: "before",
            isKnownDeclared: true,
            surrogate: false,
            version: false,
            knownBeforeValues: [],
            description: "",
            ...(typeof declared === "string" ? { type: declared } : declared),
        })),
        ...rest,
    };
}

interface Options {
    readonly connections?: number;
    readonly timeBudgetSeconds?: number;
    readonly signal?: AbortSignal;
    readonly url?: string;
    readonly report?: (event: RunEvent) => void;
    readonly read?: (warehouse: Warehouse) => Promise<unknown>;
}

async function extract(
    sources: readonly Source[],
    options: Options = {},
): Promise<Extracted & { read: unknown }> {
    const settings = {
        path: ":memory:",
        memoryLimit: "500MB",
        threads: 2,
        spillDirectory: folder,
        concurrency: 2,
    };
    return withWarehouse(settings.path, settings, async (warehouse) => {
        const extracted = await extractSources({
            project: { sources, target: { warehouse: settings } } as unknown as Project,
            connection: {
                type: "postgres",
                url: options.url ?? database.url,
                schema: "public",
                connections: options.connections ?? 3,
                timeBudgetSeconds: options.timeBudgetSeconds ?? 60,
            },
            warehouse,
            report: options.report ?? (() => {}),
            signal: options.signal ?? new AbortController().signal,
        });
        return { ...extracted, read: await options.read?.(warehouse) };
    });
}

const run = (sql: string) => withClient({ url: database.url }, (client) => client.query(sql));

const failure = async (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error as Error,
    );

describe("values", () => {
    it("arrive exactly, text and NULL and the empty text included", async () => {
        await run(`create table shelf (
            id bigint, label text, price numeric, weight numeric(4,1), opened date, sold_at timestamptz, seen_at timestamp,
            ripens interval, fresh boolean, code uuid, ratio double precision, share real, photo bytea, tally smallint,
            opens time, wide numeric, facts jsonb, kind varchar(3), padded char(5));
            insert into shelf values
            (9223372036854775807, E'a "quote", a\\\\ backslash,\\na line\\tand a tab', 12345678.901, 60.5, '2024-02-29',
                '2024-02-29 23:59:59.999999+00', '1969-12-31 23:59:59.999999', '1 year 2 months -3 days 04:05:06.789', true,
                '00112233-4455-6677-8899-aabbccddeeff', 0.1, 0.1, '\\x00ff27', -32768, '23:59:59.999999',
                -99999999999999999999999999.123456789012, '{"a": [1, 2]}', 'abc', 'ab'),
            (-9223372036854775808, '', -0.001, -0.1, '0044-03-15 BC', '0044-03-15 00:00:00+00 BC', '294246-12-31 23:59:59.999999',
                '-00:00:00.000001', false, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'NaN', '-Infinity', '', 32767, '00:00',
                0, 'null', '', ''),
            (0, 'größer 🍏 than', 0, 0, 'infinity', '-infinity', 'infinity', '-5 days', null, null, '-0', 'NaN', null, 0, '24:00', 7, '1', 'ß', 'x'),
            (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`);
        const { read, results } = await extract(
            [
                source("shelf", {
                    id: "bigint",
                    label: "varchar",
                    price: "decimal(12,3)",
                    weight: "decimal(4,1)",
                    opened: "date",
                    sold_at: "timestamptz",
                    seen_at: "timestamp",
                    ripens: "interval",
                    fresh: "boolean",
                    code: "uuid",
                    ratio: "double",
                    share: "float",
                    photo: "blob",
                    tally: "smallint",
                    opens: "time",
                    wide: "decimal(38,12)",
                    facts: "json",
                    kind: "varchar",
                    padded: "varchar",
                }),
            ],
            {
                read: (warehouse) =>
                    warehouse.rows("select columns(*)::varchar from sources.shelf order by id nulls last"),
            },
        );
        expect(results).toMatchObject([
            { name: "shelf", kind: "source", status: "success", rows: 4, columns: 19 },
        ]);
        expect(read).toEqual([
            {
                id: "-9223372036854775808",
                label: "",
                price: "-0.001",
                weight: "-0.1",
                opened: "0044-03-15 (BC)",
                sold_at: "0044-03-15 (BC) 00:00:00+00",
                seen_at: "294246-12-31 23:59:59.999999",
                ripens: "-00:00:00.000001",
                fresh: "false",
                code: "ffffffff-ffff-ffff-ffff-ffffffffffff",
                ratio: "nan",
                share: "-inf",
                photo: "",
                tally: "32767",
                opens: "00:00:00",
                wide: "0.000000000000",
                facts: "null",
                kind: "",
                padded: "",
            },
            {
                id: "0",
                label: "größer 🍏 than",
                price: "0.000",
                weight: "0.0",
                opened: "infinity",
                sold_at: "-infinity",
                seen_at: "infinity",
                ripens: "-5 days",
                fresh: null,
                code: null,
                ratio: "-0.0",
                share: "nan",
                photo: null,
                tally: "0",
                opens: "24:00:00",
                wide: "7.000000000000",
                facts: "1",
                kind: "ß",
                padded: "x",
            },
            {
                id: "9223372036854775807",
                label: 'a "quote", a\\ backslash,\na line\tand a tab',
                price: "12345678.901",
                weight: "60.5",
                opened: "2024-02-29",
                sold_at: "2024-02-29 23:59:59.999999+00",
                seen_at: "1969-12-31 23:59:59.999999",
                ripens: "1 year 2 months -3 days 04:05:06.789",
                fresh: "true",
                code: "00112233-4455-6677-8899-aabbccddeeff",
                ratio: "0.1",
                share: "0.1",
                photo: "\\x00\\xFF\\x27",
                tally: "-32768",
                opens: "23:59:59.999999",
                wide: "-99999999999999999999999999.123456789012",
                facts: '{"a": [1, 2]}',
                kind: "abc",
                padded: "ab",
            },
            Object.fromEntries(
                "id label price weight opened sold_at seen_at ripens fresh code ratio share photo tally opens wide facts kind padded"
                    .split(" ")
                    .map((name) => [name, null]),
            ),
        ]);
    });

    it("of random making are the same in both engines", { timeout: 60_000 }, async () => {
        // Deterministic by seed, so that a failure can be looked at.
        await run(`select setseed(0.42);
            create table crates as select
                n as id,
                case when random() < 0.9 then (random() * 2 - 1) * 10 ^ (random() * 18)::int end::bigint as big,
                case when random() < 0.9 then ((random() * 2 - 1) * 10 ^ (random() * 9)::int)::numeric(14,3) end as price,
                case when random() < 0.9 then ((random() * 2 - 1) * 10 ^ (random() * 3)::int)::numeric(6,2) end as small_price,
                case when random() < 0.9 then ((random() * 2 - 1)::numeric(20,10) * 10 ^ (random() * 12)::int)::numeric(30,12) end as wide_price,
                case when random() < 0.9 then (random() * 2 - 1) * 10 ^ (random() * 600 - 300)::int end::float8 as ratio,
                case when random() < 0.9 then ((random() * 2 - 1) * 10 ^ (random() * 60 - 30)::int)::float4 end as share,
                case when random() < 0.9 then date '2000-01-01' + ((random() * 2 - 1) * 700000)::int end as day,
                case when random() < 0.9 then timestamptz '2000-01-01' + (random() * 2 - 1) * interval '1900 years' end as moment,
                case when random() < 0.9 then make_interval(months => ((random() * 2 - 1) * 30)::int, days => ((random() * 2 - 1) * 3 ^ (random() * 12)::int)::int,
                    secs => (random() * 2 - 1) * 10 ^ (random() * 7)::int) end as span,
                case when random() < 0.9 then random() < 0.5 end as flag,
                case when random() < 0.9 then (select coalesce(string_agg(substr(E'abc ,;"''\\\\\\n\\r\\té🍎ß∂', 1 + (random() * 16)::int, 1), ''), '')
                    from generate_series(1, (random() * 8 ^ (random() * 3))::int + n * 0)) end as label
            from generate_series(1, 4000) as n`);
        const columns = {
            id: "integer",
            big: "bigint",
            price: "decimal(14,3)",
            small_price: "decimal(6,2)",
            wide_price: "decimal(30,12)",
            ratio: "double",
            share: "float",
            day: "date",
            moment: "timestamptz",
            span: "interval",
            flag: "boolean",
            label: "varchar",
        };
        // Both engines print these alike; the others are compared by what they are made of.
        const same =
            "id::text, big::text, price::text, small_price::text, wide_price::text, flag::text, label";
        const parts = `epoch_at::text, (day - date '2000-01-01')::text, months::text, days::text, micros::text`;
        const expected = await run(`select array[${same}, ${parts
            .replaceAll("epoch_at", "(extract(epoch from moment) * 1000000)::bigint")
            .replace("months", "(extract(year from span) * 12 + extract(month from span))::int")
            .replace("days::", "extract(day from span)::int::")
            .replace(
                "micros",
                "(extract(hour from span) * 3600000000 + extract(minute from span) * 60000000 + extract(microseconds from span))::bigint",
            )}] as fields,
            ratio, share::text as share from crates order by id`);
        const { read } = await extract([source("crates", columns)], {
            read: (warehouse) =>
                warehouse.rows(`select to_json([${same}, ${parts
                    .replaceAll("epoch_at", "epoch_us(moment)")
                    .replace("months", "(extract(year from span) * 12 + extract(month from span))::int")
                    .replace("days::", "extract(day from span)::int::")
                    .replace(
                        "micros",
                        "(extract(hour from span) * 3600000000 + extract(minute from span) * 60000000 + extract(microseconds from span))::bigint",
                    )}])::varchar as fields,
                    ratio, share from sources.crates order by id`),
        });
        const found = read as { fields: string; ratio: number | null; share: number | null }[];
        expect(found.length).toBe(4000);
        for (const [index, row] of expected.rows.entries()) {
            const { fields, ratio, share } = row as {
                fields: string[];
                ratio: number | null;
                share: string | null;
            };
            const actual = found[index]!;
            expect(JSON.parse(actual.fields)).toEqual(fields);
            expect(actual.ratio).toBe(ratio);
            expect(actual.share).toBe(share === null ? null : Math.fround(Number(share)));
        }
    });

    it("keep their types in narrower declarations as long as they fit", async () => {
        await run(`create table till (a bigint, b numeric, c text, d integer, e float8, f float4, g integer, h numeric, i integer, j timestamp, k timestamp, l uuid, m int2);
            insert into till values (7, 7.00, ' 7 ', 7, 12.345, 0.1, 4, 13.85, 9, '2024-01-02', '2024-01-02 03:04:05', '00112233-4455-6677-8899-aabbccddeeff', 5)`);
        const { read } = await extract(
            [
                source("till", {
                    a: "smallint",
                    b: "smallint",
                    c: "utinyint",
                    d: "bigint",
                    e: "decimal(8,3)",
                    f: "decimal(4,2)",
                    g: "decimal(4,2)",
                    h: "interval",
                    i: "varchar",
                    j: "date",
                    k: "timestamptz",
                    l: "varchar",
                    m: "double",
                }),
            ],
            { read: (warehouse) => warehouse.rows("select columns(*)::varchar from sources.till") },
        );
        expect(read).toEqual([
            {
                a: "7",
                b: "7",
                c: "7",
                d: "7",
                e: "12.345",
                f: "0.10",
                g: "4.00",
                h: "00:00:13.85",
                i: "9",
                j: "2024-01-02",
                k: "2024-01-02 03:04:05+00",
                l: "00112233-4455-6677-8899-aabbccddeeff",
                m: "5.0",
            },
        ]);
    });

    it.each([
        ["a bigint beyond smallint", "bigint", "40000", "smallint", /is 40000; allowed are -32768 to 32767/],
        ["a fraction in a smallint", "numeric", "1.5", "smallint", /is 1\.5, which is not a whole number/],
        ["a word in a smallint", "text", "'1A'", "smallint", /is "1A", which is not a whole number/],
        [
            "a third digit after the point",
            "numeric",
            "1.256",
            "decimal(8,2)",
            /is 1\.256, which is not a number with 2 digits/,
        ],
        [
            "a number too large",
            "numeric",
            "12345.6",
            "decimal(5,2)",
            /is 12345\.60; allowed are -999\.99 to 999\.99/,
        ],
        ["NaN in a decimal", "numeric", "'NaN'", "decimal(5,2)", /is NaN/],
        ["infinity in a decimal", "numeric", "'-Infinity'", "decimal(5,2)", /is -Infinity/],
        [
            "a double in a float",
            "float8",
            "0.1",
            "float",
            /is 0\.1, which a float of 32 bits cannot hold exactly/,
        ],
        [
            "a time in a date",
            "timestamp",
            "'2024-01-02 03:04'",
            "date",
            /2024-01-02T03:04:00.000Z, which is not midnight/,
        ],
        ["a negative number in an unsigned type", "integer", "-1", "utinyint", /is -1; allowed are 0 to 255/],
    ])("stop the run where they do not fit: %s", async (_, type, value, declared, message) => {
        await run(
            `drop table if exists basket; create table basket (id int, amount ${type}); insert into basket values (1, null), (42, ${value})`,
        );
        const error = await failure(
            extract([source("basket", { id: "integer", amount: declared }, { primaryKey: ["id"] })]),
        );
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(message);
        expect(error.message).toMatch(/public\.basket: column amount .* in row 2 as read \(id = 42\)/s);
        expect(await readdir(folder)).toEqual([]);
    });

    it("that are NULL stop the run where the column is declared without NULLs", async () => {
        await run(
            "drop table if exists basket; create table basket (id int, amount int); insert into basket values (42, null)",
        );
        const error = await failure(
            extract([source("basket", { id: "integer", amount: { type: "integer", nullable: false } })]),
        );
        expect(error.message).toMatch(
            /column amount .*is NULL, and the column is declared nullable: false, in row 1/,
        );
    });
});

describe("tables", () => {
    it("leave no files behind, and files of an extraction that was killed go with the next one", async () => {
        await mkdir(join(folder, "extract-99999999-dead"));
        await writeFile(join(folder, "extract-99999999-dead", "orders-1.parquet"), "half a file");
        await run("create table chairs (id int); insert into chairs values (1)");
        await extract([source("chairs", { id: "integer" })]);
        expect(await readdir(folder)).toEqual([]);
    });

    it("may be views, materialized views, partitioned or empty, and all are read in one snapshot", async () => {
        await run(`create table fruit (id int, name text); insert into fruit values (1, 'apple'), (2, 'pear');
            create view fresh_fruit as select * from fruit where id = 1;
            create materialized view dried_fruit as select * from fruit;
            create table juice (id int, name text) partition by range (id);
            create table juice_low partition of juice for values from (0) to (10);
            create table juice_high partition of juice for values from (10) to (20);
            insert into juice values (1, 'lime'), (11, 'plum');
            create table empty_shelf (id int, name text)`);
        const events: RunEvent[] = [];
        const names = ["fruit", "fresh_fruit", "dried_fruit", "juice", "empty_shelf"];
        const { results, snapshotAt } = await extract(
            names.map((name) => source(name, { id: "integer", name: "varchar" })),
            { report: (event) => events.push(event) },
        );
        expect(results.map(({ name, rows }) => [name, rows])).toEqual([
            ["fruit", 2],
            ["fresh_fruit", 1],
            ["dried_fruit", 2],
            ["juice", 2],
            ["empty_shelf", 0],
        ]);
        expect(Math.abs(snapshotAt.getTime() - Date.now())).toBeLessThan(60_000);
        expect(events.filter(({ type }) => type === "node-end").length).toBe(5);
    });

    it("are all copied from the same moment, whatever is written meanwhile", async () => {
        await run(`create table ledger_a as select 1 as turn, repeat('x', 1000) as filler from generate_series(1, 20000);
            create table ledger_b as select * from ledger_a; create table ledger_c as select * from ledger_a`);
        const stop = new AbortController();
        const writer = withClient({ url: database.url }, async (client) => {
            while (!stop.signal.aborted) {
                await client.query(
                    "insert into ledger_a values (2, ''); insert into ledger_b values (2, ''); insert into ledger_c values (2, '')",
                );
            }
        });
        const { results } = await extract(
            ["ledger_a", "ledger_b", "ledger_c"].map((name) =>
                source(name, { turn: "integer", filler: "varchar" }),
            ),
        );
        stop.abort();
        await writer;
        expect(new Set(results.map(({ rows }) => rows)).size).toBe(1);
    });

    it("of many rows and wide values are loaded in parts", async () => {
        await run(`create table stock as select n as id, case when n % 1000 = 0 then repeat('é', 40000) else 'item ' || n end as label, case when n % 3 = 0 then n end as third
            from generate_series(1, 150000) as n`);
        const { read } = await extract(
            [source("stock", { id: "integer", label: "varchar", third: "integer" })],
            {
                read: (warehouse) =>
                    warehouse.rows(
                        "select count(*) as n, sum(id) as ids, count(third) as thirds, sum(third) as third, sum(length(label)) as letters from sources.stock",
                    ),
            },
        );
        const { rows } = await run(
            "select count(*) as n, sum(id) as ids, count(third) as thirds, sum(third) as third, sum(length(label)) as letters from stock",
        );
        expect(read).toEqual([
            Object.fromEntries(
                Object.entries(rows[0]!).map(([key, value]) => [key, BigInt(value as bigint)]),
            ),
        ]);
    });

    it("give NULL of the declared type for optional columns that are missing, and say so", async () => {
        await run("create table menu (id int); insert into menu values (1)");
        const { read, missingOptional } = await extract(
            [source("menu", { id: "integer", price: { type: "decimal(8,2)", optional: true } })],
            {
                read: (warehouse) =>
                    warehouse.rows("select id, price, typeof(price) as type from sources.menu"),
            },
        );
        expect(read).toEqual([{ id: 1, price: null, type: "DECIMAL(8,2)" }]);
        expect(missingOptional).toEqual([{ source: "menu", column: "price" }]);
    });

    it("that differ from their declaration are reported all at once, with what was found", async () => {
        await run("create table drinks (id int, titel text, cold boolean)");
        const error = await failure(
            extract([
                source("drink", { id: "integer" }),
                source("drinks", { id: "integer", title: "varchar", cold: "date" }),
            ]),
        );
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as ConfigError).problems.map(({ key }) => key)).toEqual([
            "sources.drink",
            "sources.drinks.columns.title",
            "sources.drinks.columns.cold",
        ]);
        expect(error.message).toMatch(/there is no table public\.drink\. Did you mean drinks\?/);
        expect(error.message).toMatch(
            /public\.drinks has no column title\. Did you mean titel\?.*Found: cold, id, titel/,
        );
        expect(error.message).toMatch(
            /column cold of public\.drinks is of type boolean and cannot be read as the declared date/,
        );
    });

    it("under row security are an error, not a part of their rows", async () => {
        await run(`create table secrets (id int); insert into secrets values (1), (2); alter table secrets enable row level security;
            create policy few on secrets using (id = 1); create role clerk_${process.pid} login password 'clerk-password'; grant select on secrets to clerk_${process.pid}`);
        const url = new URL(database.url);
        url.username = `clerk_${process.pid}`;
        url.password = "clerk-password";
        const error = await failure(extract([source("secrets", { id: "integer" })], { url: url.href }));
        expect(error.message).toMatch(/public\.secrets: .*row-level security.*bypassrls/s);
        await run(`drop owned by clerk_${process.pid}; drop role clerk_${process.pid}`);
    });

    it("that take longer than the time budget end with its name", async () => {
        await run("create view slow as select pg_sleep(20)::text as nap");
        const error = await failure(extract([source("slow", { nap: "varchar" })], { timeBudgetSeconds: 1 }));
        expect(error.message).toMatch(/public\.slow: .*time budget of 1 s/s);
    });

    it("are let go long before their end when the run is interrupted, and nothing stays behind", async () => {
        await run(
            "create view endless as select n, repeat('x', 100) as filler from generate_series(1, 100000000) as n",
        );
        const interruption = new AbortController();
        setTimeout(() => interruption.abort(), 500);
        const started = Date.now();
        const error = await failure(
            extract([source("endless", { n: "bigint", filler: "varchar" })], { signal: interruption.signal }),
        );
        expect(error).toMatchObject({ exitCode: 130 });
        expect(Date.now() - started).toBeLessThan(10_000);
        expect(await readdir(folder)).toEqual([]);
        const { rows } = await run(
            "select 1 from pg_stat_activity where application_name = 'rebuild extract' and state <> 'idle' and datname = current_database()",
        );
        expect(rows).toEqual([]);
    });
});

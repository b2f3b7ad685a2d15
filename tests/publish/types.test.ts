import { afterAll, beforeAll, expect, test } from "vitest";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { quoteName } from "../../runner/names.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { copyIn } from "../../runner/postgres/copy-in.ts";
import { postgresType } from "../../runner/postgres/postgres-type.ts";
import type { Project, Source } from "../../runner/project/project.ts";
import type { ColumnType, Warehouse } from "../../runner/warehouse/types.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { publish, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("types");
});
afterAll(() => database.drop());

/** 64 random bits of row `i`, another number for every `salt`. */
const bits = (salt: number) => `hash(i, $seed, ${salt})`;
/** A random number of at most so many digits, with a sign. */
const digits = (count: number, salt: number) =>
    `(((${bits(salt)}::hugeint % 9000000000000000000) * 18446744073709551615::hugeint + ${bits(salt + 1)}) % 1${"0".repeat(Math.min(count, 38))}::hugeint * case when ${bits(salt + 2)} % 2 = 0 then 1 else -1 end)`;
const decimal = (width: number, scale: number, salt: number) => {
    const value = `abs(${digits(width, salt)})::varchar`;
    const padded = `lpad(${value}, ${width}, '0')`;
    return `(case when ${bits(salt + 2)} % 2 = 0 then '' else '-' end || left(${padded}, ${width - scale}) || '.' || right(${padded}, ${scale}))::decimal(${width}, ${scale})`;
};
const within = (low: string, high: string, salt: number) =>
    `(${low}::hugeint + ((${bits(salt)}::hugeint) % (${high}::hugeint - ${low}::hugeint + 1)))`;
/** Of some characters: ASCII, letters of other scripts, control characters, a character beyond the basic plane. */
const text = (salt: number) =>
    `array_to_string(list_transform(range((${bits(salt)} % 30)::bigint), lambda k: chr((list_extract([32 + hash(i, k) % 95, 1 + hash(i, k) % 31, 19968 + hash(i, k) % 5000, 127744 + hash(i, k) % 500, 224 + hash(i, k) % 30], (1 + hash(i, k, $seed) % 5)::integer))::integer)), '')`;

/** Random values of every publishable type but lists. */
const values: Readonly<Record<string, string>> = {
    boolean: `${bits(1)} % 2 = 0`,
    tinyint: within("-128", "127", 2),
    smallint: within("-32768", "32767", 3),
    integer: within("-2147483648", "2147483647", 4),
    bigint: within("-9223372036854775808", "9223372036854775807", 5),
    utinyint: within("0", "255", 6),
    usmallint: within("0", "65535", 7),
    uinteger: within("0", "4294967295", 8),
    ubigint: bits(9),
    hugeint: digits(38, 10),
    uhugeint: `abs(${digits(38, 13)})`,
    float: `((${bits(16)}::hugeint - 9223372036854775808::hugeint)::double * pow(10, (${bits(17)} % 50)::integer - 40))`,
    double: `((${bits(18)}::hugeint - 9223372036854775808::hugeint)::double * pow(10, (${bits(19)} % 580)::integer - 310))`,
    "decimal(4,1)": decimal(4, 1, 20),
    "decimal(9,9)": decimal(9, 9, 23),
    "decimal(18,5)": decimal(18, 5, 26),
    "decimal(38,12)": decimal(38, 12, 29),
    varchar: text(32),
    json: `to_json({'key': ${text(33)}, 'list': [${bits(34)}, null]})`,
    blob: `unhex(left(md5(${bits(35)}::varchar) || md5(${bits(36)}::varchar), 2 * (${bits(37)} % 30)::integer))`,
    uuid: `md5(${bits(38)}::varchar)::uuid`,
    date: `date '1970-01-01' + ${within("-2440588", "5000000", 39)}::integer`,
    time: `make_time(0, 0, 0) + to_microseconds(${within("0", "86399999999", 40)}::bigint)`,
    timestamp: `make_timestamp(${within("-210866803200000000", "9223372036854775000", 41)}::bigint)`,
    timestamptz: `make_timestamp(${within("-210866803200000000", "9223372036854775000", 42)}::bigint)::timestamptz`,
    interval: `to_months(${within("-2000000000", "2000000000", 43)}::integer) + to_days(${within("-2000000000", "2000000000", 44)}::integer) + to_microseconds(${within("-9000000000000000000", "9000000000000000000", 45)}::bigint)`,
};

/** What stands in the range or beside it that is not a number like the others. */
const special: Readonly<Record<string, readonly string[]>> = {
    float: ["'nan'", "'inf'", "'-inf'", "0", "1e-45"],
    double: ["'nan'", "'inf'", "'-inf'", "0", "5e-324"],
    varchar: ["''", "repeat('long ü ', 3000)"],
    date: ["'infinity'", "'-infinity'", "'1969-12-31'", "'0001-01-01 (BC)'"],
    timestamp: ["'infinity'", "'-infinity'", "'1969-12-31 23:59:59.999999'"],
    timestamptz: ["'infinity'", "'-infinity'"],
    time: ["'24:00:00'"],
    hugeint: ["'-170141183460469231731687303715884105728'"],
    uhugeint: ["'340282366920938463463374607431768211455'"],
};

const types = Object.keys(values);
const lists = ["integer", "varchar", "decimal(9,9)", "double", "date", "boolean", "uuid"];

async function makeRandom(warehouse: Warehouse, seed: number, rows: number): Promise<void> {
    const value = (type: string, salt: number) => {
        const odd = special[type] ?? [];
        const cases = odd.map((literal, index) => `when ${index + 1} then ${literal}::${type}`);
        return `(case (${bits(salt)} % ${odd.length + 20})::integer when 0 then null ${cases.join(" ")} else (${values[type]})::${type} end)`;
    };
    const scalars = types.map((type, index) => `${value(type, 100 + index)} as c${index}`);
    const listed = lists.map(
        (type, index) =>
            `(case (${bits(200 + index)} % 5)::integer when 0 then null when 1 then [] else [${value(type, 210 + index)}, null, ${value(type, 220 + index)}] end)::${type}[] as l${index}`,
    );
    const sql = `create or replace table there as select i as id, ${[...scalars, ...listed].join(", ")} from range(${rows}) r (i)`;
    await warehouse.execute(sql.replaceAll("$seed", String(seed)));
}

const isHuge = (type: string) => /^U?HUGEINT$/.test(type);

/** Declares a table for the extraction, in types of DuckDB. */
function declare(name: string, columns: readonly ColumnType[]): Source {
    const rest = { optional: false, nullable: true, known: "before", knownBeforeValues: [], description: "" };
    return {
        ...{ name, identifier: name, description: "", primaryKey: [], identity: [], known: "before" },
        file: "models/sources.yml",
        columns: columns.map((column) => ({
            ...{ ...rest, name: column.name },
            // The extraction takes 38 digits, one fewer than these may have.
            type: isHuge(column.type)
                ? "varchar"
                : column.type.toLowerCase().replace("timestamp with time zone", "timestamptz"),
        })),
    } as unknown as Source;
}

test("random tables of every type come back from Postgres as they went there", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("set timezone = 'UTC'");
        for (const seed of [1, 2]) {
            await makeRandom(warehouse, seed, 1500);
            const columns = await warehouse.describe("from there");
            const scalars = columns.filter(({ type }) => !type.endsWith("[]"));
            const listed = columns.filter(({ type }) => type.endsWith("[]"));
            await withClient({ url: database.url }, async (client) => {
                const list = columns.map(({ name, type }) => `${quoteName(name)} ${postgresType(type)!.sql}`);
                await client.query(`drop table if exists there; create table there (${list.join(", ")})`);
                await copyIn(
                    client,
                    "copy there from stdin with (format binary)",
                    warehouse.readRaw("from there"),
                );
                for (const { name } of listed) {
                    await client.query(`drop table if exists there_${name}; create table there_${name} as
                        select id, cardinality(${name}) as length, position, value
                        from there left join lateral unnest(${name}) with ordinality as unnested (value, position) on true`);
                }
            });
            const elements = listed.map(({ name, type }) =>
                declare(`there_${name}`, [
                    { name: "id", type: "BIGINT" },
                    { name: "length", type: "INTEGER" },
                    { name: "position", type: "BIGINT" },
                    { name: "value", type: type.slice(0, -2) },
                ]),
            );
            const settings = { memoryLimit: "512MB", threads: 1, concurrency: 1, spillDirectory: "/tmp" };
            const sources = [declare("there", scalars), ...elements];
            await extractSources({
                project: { sources, target: { warehouse: settings } } as unknown as Project,
                connection: {
                    type: "postgres",
                    url: database.url,
                    schema: "public",
                    connections: 1,
                    timeBudgetSeconds: 60,
                },
                ...{ warehouse, signal: new AbortController().signal, report: () => undefined },
            });
            for (const { name, type } of scalars) {
                const back = isHuge(type) ? `back.${name}::${type}` : `back.${name}`;
                const [row] = await warehouse.rows(`
                    select count(*)::integer as rows, count(${back})::integer as "values",
                        count(*) filter (where there.${name} is distinct from ${back})::integer as different
                    from there join sources.there as back on back.id = there.id`);
                expect({ type, ...row }).toMatchObject({ type, rows: 1500, different: 0 });
                expect(Number(row!.values)).toBeGreaterThan(750);
            }
            for (const { name, type } of listed) {
                await warehouse.execute(`create or replace temp table elements as
                    select id, len(${name})::integer as length, position, ${name}[position] as value
                    from there left join lateral (select unnest(range(1, len(${name}) + 1)) as position) on true`);
                const back = `select id, length, position, value from sources.there_${name}`;
                const [row] = await warehouse.rows(`select
                    (select count(*) from (from elements except all ${back}))::integer as missing,
                    (select count(*) from (${back} except all from elements))::integer as surplus,
                    (select count(*) from elements)::integer as elements`);
                expect({ type, ...row }).toMatchObject({ type, missing: 0, surplus: 0 });
                expect(Number(row!.elements)).toBeGreaterThan(2500);
            }
        }
    }));

test("random tables of every type pass the verification of a publish, and are found unchanged by the next", () =>
    withMemoryWarehouse(async (warehouse) => {
        const models = [{ name: "there", config: { grain: ["id"] }, publish: { schema: "published" } }];
        for (const seed of [3]) {
            await makeRandom(warehouse, seed, 1000);
            const first = await publish({ url: database.url, warehouse, models });
            expect(first.swapAttempts).toBe(1);
            expect(await publish({ url: database.url, warehouse, models })).toMatchObject({
                swapAttempts: 0,
            });
        }
    }));

test("keys of every type find their rows again, those that are NULL aside", () =>
    withMemoryWarehouse(async (warehouse) => {
        const kinds = {
            number: "i",
            huge: "(i * 10)::hugeint * 10000000000000000000",
            price: "(i / 7)::decimal(12, 3)",
            rate: "case i when 1 then 'nan'::double when 2 then 'inf'::double else i / 7.0 end",
            day: "case i when 1 then 'infinity'::date else date '1969-12-20' + i::integer end",
            moment: "timestamp '1969-12-31 23:59:59.999999' + to_microseconds(i)",
            instant: "timestamptz '2020-01-01 00:00:00.5+02' + to_hours(i)",
            hour: "time '00:00:00.000001' + to_microseconds(i)",
            span: "to_microseconds(i)",
            bytes: "(('\\x00\\xAB'::blob) || encode('a\\\\b' || i))",
            id: "md5(i::varchar)::uuid",
            name: `'it''s "' || i || '" \\ of ' || chr(228)`,
            kind: "('kind ' || i % 5)::enum('kind 0', 'kind 1', 'kind 2', 'kind 3', 'kind 4')",
            list: "[i, null]",
        };
        const names = Object.keys(kinds);
        await warehouse.execute(
            `create or replace table keyed as select ${names.map((name) => `nullif(${kinds[name as keyof typeof kinds]}, ${kinds[name as keyof typeof kinds].replace(/\bi\b/g, "3")}) as ${name}`).join(", ")}, i as position from range(300) r (i)`,
        );
        for (const name of names) {
            const grain = name === "kind" ? ["kind", "position"] : [name];
            const models = [{ name: "keyed", config: { grain }, publish: { name: `keyed_by_${name}` } }];
            await expect(publish({ url: database.url, warehouse, models }), name).resolves.toMatchObject({
                swapAttempts: 1,
            });
        }
    }));

test("every type of DuckDB is mapped, or refused with a word on what to cast it to", () =>
    withMemoryWarehouse(async (warehouse) => {
        const refused = new Set(
            `TIME WITH TIME ZONE,TIME_NS,TIMESTAMP_NS,BIT,BIGNUM,GEOMETRY,VARIANT,STRUCT,MAP,UNION,ARRAY,TYPE,NULL`.split(
                ",",
            ),
        );
        // With arguments they are mapped; see the test of values.
        for (const name of ["DECIMAL", "ENUM", "LIST"]) refused.add(name);
        const found = await warehouse.rows(
            "select distinct logical_type as name from duckdb_types() where schema_name in ('main', 'pg_catalog')",
        );
        const unknown = found
            .map(({ name }) => String(name))
            .filter((name) => !postgresType(name) && !refused.has(name));
        expect(unknown).toEqual([]);
        for (const type of types)
            expect(
                postgresType((await warehouse.describe(`select null::${type} as c`))[0]!.type),
            ).toBeDefined();
    }));

test("values that Postgres cannot hold are refused with row and column, in lists too", () =>
    withMemoryWarehouse(async (warehouse) => {
        const odd: readonly (readonly [string, RegExp])[] = [
            ["case when i = 3 then 'x' || chr(0) end", /row 4: column "c" holds a NUL byte/],
            [
                "case when i = 3 then ['a', null, 'x' || chr(0)] else ['b'] end",
                /row 4: column "c" holds a NUL byte/,
            ],
            [
                "case when i = 3 then '290000-01-01 (BC)' else '2000-01-01' end::timestamp",
                /row 4: column "c" holds a timestamp that Postgres cannot hold/,
            ],
            [
                "case when i = 3 then '5000-01-01 (BC)' end::timestamptz",
                /row 4: .* range is 4713 BC to the year 294276/,
            ],
            ["case when i = 3 then '5000-01-01 (BC)' end::date", /row 4: column "c" holds a date/],
        ];
        for (const [value, message] of odd) {
            await warehouse.execute(`create or replace table t as select ${value} as c from range(10) r (i)`);
            const [column] = await warehouse.describe("from t");
            const sending = withClient({ url: database.url }, async (client) => {
                await client.query(
                    `drop table if exists t; create table t (c ${postgresType(column!.type)!.sql})`,
                );
                return copyIn(client, "copy t from stdin with (format binary)", warehouse.readRaw("from t"));
            });
            await expect(sending).rejects.toThrow(message);
        }
    }));

test("a load keeps to its pace", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table t as select i, 'a text of some length ' || i as name from range(20000) r (i)",
        );
        await withClient({ url: database.url }, async (client) => {
            await client.query("drop table if exists t; create table t (i bigint, name text)");
            const started = performance.now();
            let fastest = 0;
            const { bytes } = await copyIn(
                client,
                "copy t from stdin with (format binary)",
                warehouse.readRaw("from t"),
                {
                    maxBytesPerSecond: 1_000_000,
                    onProgress: ({ bytes: sent }) => {
                        fastest = Math.max(
                            fastest,
                            sent - ((performance.now() - started) / 1000) * 1_000_000,
                        );
                    },
                },
            );
            // At no moment more than one chunk ahead.
            expect(fastest).toBeLessThan(bytes / 5);
            expect((performance.now() - started) / 1000).toBeGreaterThan((bytes / 1_000_000) * 0.8);
        });
    }));

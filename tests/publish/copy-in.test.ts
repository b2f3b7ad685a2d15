import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quoteName } from "../../runner/names.ts";
import { withClient, withTransaction } from "../../runner/postgres/connect.ts";
import { copyIn } from "../../runner/postgres/copy-in.ts";
import { postgresType } from "../../runner/postgres/postgres-type.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("copy_in");
});
afterAll(() => database.drop());

/** Literals of a DuckDB type, with the text that Postgres must show for each. */
const values: Readonly<Record<string, readonly (readonly [duckdb: string, postgres: string])[]>> = {
    boolean: [
        ["true", "true"],
        ["false", "false"],
    ],
    tinyint: [
        ["-128", "-128"],
        ["127", "127"],
    ],
    smallint: [
        ["-32768", "-32768"],
        ["32767", "32767"],
    ],
    integer: [
        ["-2147483648", "-2147483648"],
        ["2147483647", "2147483647"],
    ],
    bigint: [
        ["-9223372036854775808", "-9223372036854775808"],
        ["9223372036854775807", "9223372036854775807"],
    ],
    utinyint: [["255", "255"]],
    usmallint: [["65535", "65535"]],
    uinteger: [["4294967295", "4294967295"]],
    ubigint: [
        ["18446744073709551615", "18446744073709551615"],
        ["0", "0"],
        ["10000", "10000"],
    ],
    hugeint: [
        ["170141183460469231731687303715884105727", "170141183460469231731687303715884105727"],
        ["-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"],
        ["90071992547409930000", "90071992547409930000"],
    ],
    uhugeint: [["340282366920938463463374607431768211455", "340282366920938463463374607431768211455"]],
    float: [
        ["'nan'", "NaN"],
        ["'inf'", "Infinity"],
        ["'-inf'", "-Infinity"],
        ["0.1", "0.1"],
        ["'-0.0'", "-0"],
    ],
    double: [
        ["'nan'", "NaN"],
        ["'-inf'", "-Infinity"],
        ["0.1", "0.1"],
        ["1e300", "1e+300"],
        ["5e-324", "5e-324"],
    ],
    "decimal(4,1)": [
        ["-999.9", "-999.9"],
        ["0", "0.0"],
        ["54.5", "54.5"],
    ],
    "decimal(9,4)": [
        ["12345.6789", "12345.6789"],
        ["-0.0001", "-0.0001"],
    ],
    "decimal(18,5)": [
        ["1234567890123.45678", "1234567890123.45678"],
        ["-9999999999999.99999", "-9999999999999.99999"],
    ],
    "decimal(38,7)": [
        ["1234567890123456789012345678901.2345678", "1234567890123456789012345678901.2345678"],
        ["-0.0000001", "-0.0000001"],
    ],
    "decimal(38,38)": [
        ["0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"],
    ],
    varchar: [
        ["''", ""],
        ["'twelve bytes'", "twelve bytes"],
        ["'thirteen byte'", "thirteen byte"],
        ["'a\"b\\c\n\tü€𝄞'", 'a"b\\c\n\tü€𝄞'],
    ],
    json: [["'{\"a\": [1,  2]}'", '{"a": [1,  2]}']],
    blob: [
        ["'\\x00\\xFF'::blob", "\\x00ff"],
        ["''::blob", "\\x"],
    ],
    uuid: [
        ["'00000000-0000-0000-0000-000000000000'", "00000000-0000-0000-0000-000000000000"],
        ["'ffeeddcc-bbaa-9988-7766-554433221100'", "ffeeddcc-bbaa-9988-7766-554433221100"],
    ],
    date: [
        ["'1969-12-31'", "1969-12-31"],
        ["'2000-01-01'", "2000-01-01"],
        ["'infinity'", "infinity"],
        ["'-infinity'", "-infinity"],
        ["'0001-01-01'", "0001-01-01"],
        ["'9999-12-31'", "9999-12-31"],
    ],
    time: [
        ["'23:59:59.999999'", "23:59:59.999999"],
        ["'00:00:00'", "00:00:00"],
    ],
    timestamp: [
        ["'1969-12-31 23:59:59.999999'", "1969-12-31 23:59:59.999999"],
        ["'infinity'", "infinity"],
        ["'-infinity'", "-infinity"],
    ],
    timestamp_s: [["'2020-02-29 12:34:56'", "2020-02-29 12:34:56"]],
    timestamp_ms: [["'2020-02-29 12:34:56.789'", "2020-02-29 12:34:56.789"]],
    timestamptz: [
        ["'2024-06-01 12:00:00.000001+02'", "2024-06-01 10:00:00.000001+00"],
        ["'infinity'", "infinity"],
    ],
    interval: [
        ["'1 year 2 months 3 days 04:05:06.789'", "1 year 2 mons 3 days 04:05:06.789"],
        ["'-1 day -0.5 seconds'", "-1 days -00:00:00.5"],
    ],
    "enum('firm', 'good to soft, with water')": [
        ["'firm'", "firm"],
        ["'good to soft, with water'", "good to soft, with water"],
    ],
    "integer[]": [
        ["[1, null, -3]", "{1,NULL,-3}"],
        ["[]", "{}"],
    ],
    "varchar[]": [["['a', 'a longer text than inline', '']", '{a,"a longer text than inline",""}']],
    "decimal(6,2)[]": [["[1.5, -20.25]", "{1.50,-20.25}"]],
};

describe("every publishable DuckDB type arrives exactly", () => {
    for (const [type, cases] of Object.entries(values)) {
        test(type, () =>
            withMemoryWarehouse(async (warehouse) => {
                const rows = [...cases.map(([literal]) => `(${literal})`), "(null)"];
                await warehouse.execute(
                    `create table t (v ${type}); insert into t values ${rows.join(", ")}`,
                );
                const found = await sendTable(warehouse, "t", "v::text");
                expect(found).toEqual([...cases.map(([, text]) => text), null]);
            }),
        );
    }
});

test("random tables of all types come back as the same text", () =>
    withMemoryWarehouse(async (warehouse) => {
        for (const seed of [1, 2, 3]) {
            await warehouse.execute(`select setseed(0.${seed})`);
            const types = Object.keys(values).filter(
                (type) => !/float|double|blob|interval|38,38|\[\]|json/.test(type),
            );
            const columns = types.map((type, index) => {
                const literals = values[type]!.map(([literal]) => `(${literal})::${type}`);
                return `case when random() < 0.2 then null else ([${literals.join(", ")}])[1 + (random() * 97)::int % ${literals.length}] end as c${index}`;
            });
            await warehouse.execute(
                `create or replace table t as select i as id, ${columns.join(", ")} from range(5000) r (i)`,
            );
            const texts = types.map((_, index) => `c${index}::varchar`);
            const expected = await warehouse.rows(
                `select id, concat_ws('|', ${texts.map((text) => `coalesce(${text}, '~')`).join(", ")}) as line from t order by id`,
            );
            const lines = await sendTable(
                warehouse,
                "t",
                `id || '|' || concat_ws('|', ${types.map((_, index) => `coalesce(c${index}::text, '~')`).join(", ")})`,
            );
            const byId = new Map(
                lines.map((line) => [
                    line!.slice(0, line!.indexOf("|")),
                    line!.slice(line!.indexOf("|") + 1),
                ]),
            );
            expect(byId.size).toBe(5000);
            for (const { id, line } of expected) expect(byId.get(String(id))).toBe(line);
        }
    }));

test("rows of many chunks arrive in full, and progress counts them", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table t as select i, 'runner number ' || i as name from range(20000) r (i)",
        );
        let seen = 0;
        const found = await sendTable(warehouse, "t", "i || name", ({ rows }) => {
            seen = rows;
        });
        expect(found.length).toBe(20000);
        expect(seen).toBe(20000);
    }));

test("long texts arrive whatever way they lie in memory: neighbours, repeats, gaps, out of order", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(`create table t as
            select i as id, case when i % 11 = 0 then null else repeat(chr(97 + (i % 26)::integer), (i * 37 % 300)::integer) || i end as a,
                'one of few texts that come again and again ' || (i % 7) as b,
                repeat('long ', case when i % 500 = 0 then 20000 else 3 end) || i as c
            from range(9000) r (i)`);
        for (const order of ["", "order by hash(id)", "order by id desc"]) {
            await warehouse.execute(`create or replace table u as select * from t ${order}`);
            const expected = await warehouse.rows(
                "select id, md5(concat_ws('|', coalesce(a, '~'), b, c)) as digest from t order by id",
            );
            const found = await sendTable(
                warehouse,
                "u",
                "id || ' ' || md5(concat_ws('|', coalesce(a, '~'), b, c))",
            );
            expect(new Set(found)).toEqual(new Set(expected.map(({ id, digest }) => `${id} ${digest}`)));
        }
    }));

test("an empty table is sent as an empty table", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table t (a integer, b varchar)");
        expect(await sendTable(warehouse, "t", "a::text")).toEqual([]);
    }));

test("text with a NUL byte is refused, naming row and column, and nothing is committed", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table t as select case when i = 3 then 'x' || chr(0) else 'y' end as name from range(5) r (i)",
        );
        await expect(sendTable(warehouse, "t", "name")).rejects.toThrow(
            /row 4: column "name" holds a NUL byte/,
        );
        await withClient({ url: database.url }, async (client) => {
            const { rows } = await client.query("select to_regclass('public.t') as found");
            expect(rows[0]!.found).toBeNull();
        });
    }));

test("a source that fails in the middle commits nothing", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table t as select i from range(10000) r (i)");
        await withClient({ url: database.url }, (client) => client.query("create table half (i bigint)"));
        const copying = withClient({ url: database.url }, (client) =>
            copyIn(
                client,
                "copy half from stdin with (format binary)",
                (async function* () {
                    for await (const chunk of warehouse.readRaw("from t")) {
                        yield chunk;
                        throw new Error("the source broke");
                    }
                })(),
            ),
        );
        await expect(copying).rejects.toThrow("the source broke");
        await withClient({ url: database.url }, async (client) => {
            const { rows } = await client.query("select count(*)::int as rows from half");
            expect(rows[0]!.rows).toBe(0);
        });
    }));

test("what the server refuses is the error, not a broken pipe", () =>
    withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table t as select i::integer as i from range(100000) r (i)");
        await withClient({ url: database.url }, async (client) => {
            await client.query("create table small (i integer check (i < 10))");
            await expect(
                copyIn(client, "copy small from stdin with (format binary)", warehouse.readRaw("from t")),
            ).rejects.toThrow(/small_i_check/);
            // The session is usable afterwards.
            expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
        });
    }));

test("types without an exact counterpart have no mapping", () => {
    for (const type of [
        "STRUCT(a INTEGER)",
        "MAP(INTEGER, VARCHAR)",
        "INTEGER[][]",
        "TIMESTAMP_NS",
        "BIT",
        "INTEGER[3]",
    ]) {
        expect(postgresType(type)).toBeUndefined();
    }
});

/** Creates the table in Postgres by the type mapping, copies, and returns an expression of every row. */
async function sendTable(
    warehouse: Warehouse,
    table: string,
    expression: string,
    onProgress?: (progress: { readonly rows: number }) => void,
): Promise<(string | null)[]> {
    return withClient({ url: database.url }, async (client) => {
        const columns = await warehouse.describe(`from ${table}`);
        const list = columns.map(({ name, type }) => `${quoteName(name)} ${postgresType(type)!.sql}`);
        const { rows } = await withTransaction(client, {}, async () => {
            await client.query(`create table ${table} (${list.join(", ")})`);
            await copyIn(
                client,
                `copy ${table} from stdin with (format binary, freeze)`,
                warehouse.readRaw(`from ${table}`),
                {
                    ...(onProgress && { onProgress }),
                },
            );
            const result = await client.query<{ value: string | null }>(
                `select ${expression} as value from ${table} order by ctid`,
            );
            await client.query(`drop table ${table}`);
            return result;
        });
        return rows.map(({ value }) => value);
    });
}

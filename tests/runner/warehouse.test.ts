import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { QueryError } from "../../runner/errors.ts";
import type { ColumnChunk } from "../../runner/model.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";
import { limitsIn, withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

async function failureOf(work: Promise<unknown>): Promise<QueryError> {
    const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
    );
    if (!(error instanceof QueryError)) throw new Error(`expected a QueryError, got ${error}`);
    return error;
}

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = [];
    for await (const item of stream) items.push(item);
    return items;
}

async function countRows(warehouse: Warehouse, relation: string): Promise<number> {
    const [row] = await warehouse.rows(`select count(*) as rows from ${relation}`);
    return Number(row?.rows);
}

test("an error tells its kind and its place in characters, after umlauts too", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const sql = "select\n    'Zürich 🐎' as town,\n    pirce\nfrom (select 1 as price)";
        const ways = [warehouse.execute, warehouse.describe, (text: string) => drain(warehouse.read(text))];
        for (const way of ways) {
            const { message, failure } = await failureOf(way(sql));
            expect(message).toContain('Binder Error: Referenced column "pirce" not found');
            expect(failure).toMatchObject({ engine: "duckdb", code: "Binder Error", sql });
            expect(sql.slice(failure.offset)).toMatch(/^pirce/);
        }
        const syntax = await failureOf(warehouse.execute("selec 1"));
        expect(syntax.failure).toMatchObject({ code: "Parser Error", offset: 0 });
    });
});

test("an error in the middle of a stream is thrown, not taken for its end", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const sql =
            "select case when i = 4000000 then 'x' else '1' end::integer as n from range(5000000) r(i)";
        let rows = 0;
        const { message, failure } = await failureOf(
            (async () => {
                for await (const chunk of warehouse.readRaw(sql)) rows += chunk.rowCount;
            })(),
        );
        expect(rows).toBeGreaterThan(100_000);
        expect(message).toContain("Could not convert string 'x' to INT32");
        expect(sql.slice(failure.offset)).toMatch(/^::integer/);
        expect(await warehouse.rows("select 1 as alive")).toEqual([{ alive: 1 }]);
    });
});

test("a stream comes in the order of the query, over many chunks", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table numbers as select range as n from range(100000) order by hash(range)",
        );
        const chunks = await drain(warehouse.read("select n::integer as n from numbers order by n"));
        expect(chunks.length).toBeGreaterThan(40);
        const all = chunks.flatMap((chunk) => [...(chunk.columns.n!.values as Int32Array)]);
        expect(all).toEqual(Array.from({ length: 100_000 }, (_, index) => index));
    });
});

test("a reader that stops early leaves nothing open", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        for await (const chunk of warehouse.read("from range(1000000)")) {
            expect(chunk.rowCount).toBe(2048);
            break;
        }
        await warehouse.execute("create table after as select 1 as one");
        await warehouse.execute("checkpoint");
    });
});

test("statements run side by side, and an interrupt stops all of them", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const endless =
            "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3";
        const running = [
            failureOf(warehouse.execute(endless)),
            failureOf(warehouse.rows(endless)),
            failureOf(drain(warehouse.read(`${endless} and a.range > 1`))),
        ];
        await new Promise((resolve) => setTimeout(resolve, 150));
        const started = performance.now();
        warehouse.interrupt();
        const failures = await Promise.all(running);
        expect(performance.now() - started).toBeLessThan(3000);
        expect(failures.map(({ failure }) => failure.code)).toEqual(Array(3).fill("Interrupted"));
        expect(await warehouse.rows("select 1 as alive")).toEqual([{ alive: 1 }]);
    });
});

test("an interrupt in the middle of a stream is an interruption, not its end", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const { failure } = await failureOf(
            (async () => {
                let rows = 0;
                for await (const chunk of warehouse.readRaw("from range(100000000)")) {
                    rows += chunk.rowCount;
                    if (rows > 100_000 && rows < 104_000) warehouse.interrupt();
                }
            })(),
        );
        expect(failure.code).toBe("Interrupted");
    });
});

test("rows are plain values: whole numbers exact, dates and decimals as text", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        expect(
            await warehouse.rows(`select 9007199254740993 as big, 1.50::decimal(8,2) as price, date '2024-02-29' as day,
                [1, null] as list, {'a': 1.5::double} as struct, null as nothing, timestamptz '2024-01-01 12:00:00+02' as at_utc`),
        ).toEqual([
            {
                big: 9007199254740993n,
                price: "1.50",
                day: "2024-02-29",
                list: [1, null],
                struct: { a: 1.5 },
                nothing: null,
                at_utc: "2024-01-01 10:00:00+00",
            },
        ]);
    });
});

test("endless dates and times are the words that SQL has for them", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        expect(
            await warehouse.rows(`select 'infinity'::date as day, '-infinity'::date as first_day,
                'infinity'::timestamp as moment, '-infinity'::timestamptz as first_moment`),
        ).toEqual([
            { day: "infinity", first_day: "-infinity", moment: "infinity", first_moment: "-infinity" },
        ]);
    });
});

test("a transaction does all of its statements or none", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table prices as select 1 as price");
        const error = await failureOf(
            warehouse.executeAll(["drop table prices", "create table prices as select nothing"]),
        );
        expect(error.failure.sql).toBe("create table prices as select nothing");
        expect(await warehouse.rows("from prices")).toEqual([{ price: 1 }]);
    });
});

test("a closed file has no log beside it, and no spill directory stays", async () => {
    await withTemporaryDirectory(async (directory) => {
        const path = join(directory, "deep", "warehouse.duckdb");
        const limits = { ...limitsIn(directory), memoryLimit: "60MB" };
        await withWarehouse(path, limits, async (warehouse) => {
            await warehouse.execute("create table numbers as from range(100000)");
            await warehouse.execute(
                "create table sorted as select hash(range) as h, repeat('x', 30) as t from range(2000000) order by h",
            );
            expect(await readdir(limits.spillDirectory)).toHaveLength(1);
        });
        expect(await readdir(join(directory, "deep"))).toEqual(["warehouse.duckdb"]);
        expect(await readdir(limits.spillDirectory)).toEqual([]);
        await withWarehouse(path, { ...limits, readOnly: true }, async (warehouse) => {
            expect(await countRows(warehouse, "numbers")).toBe(100_000);
            expect((await failureOf(warehouse.execute("drop table numbers"))).message).toContain("read-only");
        });
    });
});

test("the file is closed, too, when the callback throws while statements run", async () => {
    await withTemporaryDirectory(async (directory) => {
        const path = join(directory, "warehouse.duckdb");
        const limits = limitsIn(directory);
        let running: Promise<unknown> | undefined;
        const failing = withWarehouse(path, limits, async (warehouse) => {
            await warehouse.execute("create table kept as select 1 as one");
            running = failureOf(
                warehouse.execute(
                    "create table lost as select count(*) from range(1000000) a, range(1000000) b",
                ),
            );
            throw new Error("the callback failed");
        });
        await expect(failing).rejects.toThrow("the callback failed");
        await running;
        await withWarehouse(path, limits, async (warehouse) => {
            expect(await warehouse.rows("select table_name from information_schema.tables")).toEqual([
                { table_name: "kept" },
            ]);
        });
    });
});

test("a path that cannot be opened is named", async () => {
    await withTemporaryDirectory(async (directory) => {
        const failing = failureOf(withWarehouse(directory, limitsIn(directory), async () => undefined));
        expect((await failing).message).toContain(directory);
    });
});

test("functions of extensions are not fetched from the network", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const error = await failureOf(warehouse.execute("select st_point(1, 2)"));
        expect(error.message).toMatch(/st_point/i);
        expect(
            await warehouse.rows(`select value from duckdb_settings() where name in
                ('autoinstall_known_extensions', 'autoload_known_extensions') group by value`),
        ).toEqual([{ value: "false" }]);
    });
});

function numbered(rowCount: number, from = 0): ColumnChunk {
    return {
        rowCount,
        columns: {
            id: { values: Int32Array.from({ length: rowCount }, (_, row) => from + row) },
            name: {
                values: Array.from({ length: rowCount }, (_, row) => (row % 3 === 0 ? null : `näme ${row}`)),
            },
            rating: {
                values: Float32Array.from({ length: rowCount }, (_, row) => row / 2),
                valid: Uint8Array.from({ length: rowCount }, (_, row) => row % 2),
            },
        },
    };
}

const ratings = "create table ratings (id integer, name varchar, rating float)";

test("chunks of any size are appended, with their NULLs", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(ratings);
        const appender = await warehouse.append("main", "ratings");
        await appender.write(numbered(5000));
        await appender.write(numbered(0));
        await appender.write(numbered(1, 5000));
        await appender.write(numbered(2048, 5001));
        await appender.close();
        expect(
            await warehouse.rows(`select count(*)::integer as rows, count(distinct id)::integer as ids, max(id) as last,
                count(name)::integer as names, count(rating)::integer as ratings,
                count(*) filter (where rating <> id / 2 and id < 5000)::integer as wrong from ratings`),
        ).toEqual([{ rows: 7049, ids: 7049, last: 7048, names: 4698, ratings: 3524, wrong: 0 }]);
    });
});

test("text is appended exactly: short, long, empty, unicode, with zero bytes and line ends", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const texts = [
            "",
            "a",
            "twelve bytes",
            "thirteen byte",
            "é",
            "🐎🐎🐎",
            "tab\tand\nline",
            "nul\0nul",
            "\\N",
            '"',
            null,
        ];
        await warehouse.execute("create table notes (place integer, note varchar)");
        const appender = await warehouse.append("main", "notes");
        const places = Int32Array.from(texts.keys());
        await appender.write({
            rowCount: texts.length,
            columns: { note: { values: texts }, place: { values: places } },
        });
        await appender.close();
        const rows = await warehouse.rows(
            "select note, length(note)::integer as length from notes order by place",
        );
        expect(rows.map(({ note }) => note)).toEqual(texts);
        expect(rows[5]).toEqual({ note: "🐎🐎🐎", length: 3 });
        const found = await warehouse.rows(
            "select count(*)::integer as n from notes where note = 'twelve ' || 'bytes'",
        );
        expect(found).toEqual([{ n: 1 }]);
    });
});

test("an aborted appender leaves the table as it was, however much was written", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(ratings);
        const appender = await warehouse.append("main", "ratings");
        for (let chunk = 0; chunk < 60; chunk++) await appender.write(numbered(10_000));
        await appender.abort();
        expect(await countRows(warehouse, "ratings")).toBe(0);
        await expect(appender.write(numbered(1))).rejects.toThrow("the appender is closed");
    });
});

test("a chunk that does not fit its table is refused with the column and the row", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table prices (id smallint, price decimal(4,2), paid boolean, note varchar)",
        );
        const appender = await warehouse.append("main", "prices");
        const columns = {
            id: { values: new Int32Array([1, 2]) },
            price: { values: ["1.005", "-99.99"] },
            paid: { values: new Uint8Array([0, 1]) },
            note: { values: ["a", null] },
        };
        const refused = async (change: ColumnChunk["columns"], message: string) => {
            const failing = appender.write({ rowCount: 2, columns: { ...columns, ...change } });
            await expect(failing).rejects.toThrow(message);
        };
        await refused(
            { id: { values: new Int32Array([1, 40_000]) } },
            "column id (SMALLINT): row 1 of the chunk holds 40000",
        );
        await refused({ id: { values: new Float64Array([1.5, 2]) } }, "row 0 of the chunk holds 1.5");
        await refused({ id: { values: ["1", "2"] } }, 'holds "1"');
        await refused({ id: { values: new Int32Array([1]) } }, "1 values for 2 rows");
        await refused(
            { price: { values: ["100", "1"] } },
            'column price (DECIMAL(4,2)): row 0 of the chunk holds "100"',
        );
        await refused({ price: { values: ["1.0.0", "1"] } }, 'holds "1.0.0"');
        await refused({ paid: { values: new Uint8Array([0, 2]) } }, "holds 2");
        await refused({ note: { values: new Int32Array(2) } }, "allowed are text and null");
        await refused({ nots: { values: ["a", "b"] } }, "unknown: nots (did you mean note?)");
        const { note: _, ...short } = columns;
        await expect(appender.write({ rowCount: 2, columns: short })).rejects.toThrow("missing: note");
        await appender.write({ rowCount: 2, columns });
        await appender.close();
        expect(await warehouse.rows("from prices order by id")).toEqual([
            { id: 1, price: "1.01", paid: false, note: "a" },
            { id: 2, price: "-99.99", paid: true, note: null },
        ]);
    });
});

test("the writers' own forms of decimals and intervals are taken", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table sections (time interval, weight decimal(4,1), prize decimal(12,2))",
        );
        const appender = await warehouse.append("main", "sections");
        await appender.write({
            rowCount: 2,
            columns: {
                time: { values: new BigInt64Array([(2n << 32n) + 14n, 24_350_000n, 0n, -1n]) },
                weight: { values: new Int16Array([565, -5]) },
                prize: { values: new Float64Array([1234.565, 0.1]) },
            },
        });
        await appender.close();
        const rows = await warehouse.rows(
            "select time::varchar as time, weight::varchar as weight, prize::varchar as prize from sections",
        );
        expect(rows).toEqual([
            { time: "1 year 2 months 2 days 00:00:24.35", weight: "56.5", prize: "1234.57" },
            { time: "-00:00:00.000001", weight: "-0.5", prize: "0.10" },
        ]);
    });
});

test("raw chunks hold DuckDB's own bytes", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const [chunk] = await drain(
            warehouse.readRaw(`select * from (values
                (1::smallint, 'short', [1, 2], 'b'::enum('a', 'b'), 12.34::decimal(4,2)),
                (null, 'longer than twelve bytes', [3], null, null)) t(small, note, list, grade, price)`),
        );
        const [small, note, list, grade, price] = chunk!.columns;
        expect(chunk!.rowCount).toBe(2);
        expect(small).toMatchObject({ name: "small", type: "SMALLINT", layout: "int16" });
        expect(new DataView(small!.data.buffer, small!.data.byteOffset).getInt16(0, true)).toBe(1);
        expect(small!.validity![0]! & 3).toBe(1);
        expect(note!.layout).toBe("bytes");
        expect([0, 1].map((row) => Buffer.from(note!.bytes!(row)).toString())).toEqual([
            "short",
            "longer than twelve bytes",
        ]);
        expect(list!.child!.layout).toBe("int32");
        expect([...new Int32Array(list!.child!.data.buffer, list!.child!.data.byteOffset, 3)]).toEqual([
            1, 2, 3,
        ]);
        expect(grade).toMatchObject({ layout: "uint8", enumValues: ["a", "b"] });
        expect(price).toMatchObject({ type: "DECIMAL(4,2)", layout: "int16", scale: 2 });
        await expect(drain(warehouse.readRaw("select {'a': 1} as point"))).rejects.toThrow(
            "column point is of type STRUCT",
        );
    });
});

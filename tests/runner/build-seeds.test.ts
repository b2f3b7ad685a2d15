import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ModelColumn } from "../../runner/project/project.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { buildShop } from "./build-fixture.ts";
import { withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

function typed(columns: Readonly<Record<string, string>>): readonly ModelColumn[] {
    return Object.entries(columns).map(([name, type]) => ({ name, type, description: "", tests: [] }));
}

function withSeed<T>(
    csv: string,
    columns: readonly ModelColumn[],
    check: (warehouse: Warehouse, message: string | undefined) => Promise<T>,
): Promise<T> {
    return withTemporaryDirectory(async (root) => {
        await mkdir(join(root, "seeds"));
        await writeFile(join(root, "seeds/tracks.csv"), csv);
        return withMemoryWarehouse(async (warehouse) => {
            const built = await buildShop(
                warehouse,
                { tracks: { kind: "seed", file: "seeds/tracks.csv", columns } },
                { root },
            );
            return check(warehouse, built.results[0]?.message);
        });
    });
}

test("a seed has the types that its yml declares, and DuckDB's for the rest", async () => {
    const csv = "code,length,opened,note\n007,1000,2024-01-31,x\n08,1200,1999-12-31,y\n";
    await withSeed(csv, typed({ code: "varchar", length: "smallint" }), async (warehouse, message) => {
        expect(message).toBeUndefined();
        expect(await warehouse.describe("from tracks")).toEqual([
            { name: "code", type: "VARCHAR" },
            { name: "length", type: "SMALLINT" },
            { name: "opened", type: "DATE" },
            { name: "note", type: "VARCHAR" },
        ]);
        expect(await warehouse.rows("select code from tracks order by length")).toEqual([
            { code: "007" },
            { code: "08" },
        ]);
    });
});

test("an empty field is NULL, a quoted empty one is the empty text, and quotes keep commas and line ends", async () => {
    const csv =
        '\uFEFFname,alias,length\r\n"Sha Tin, turf","",1000\r\n"two\nlines",,\r\n"say ""go""",NULL,7\r\n';
    await withSeed(
        csv,
        typed({ name: "varchar", alias: "varchar", length: "integer" }),
        async (warehouse, message) => {
            expect(message).toBeUndefined();
            expect(await warehouse.rows("select * from tracks order by length nulls last")).toEqual([
                { name: 'say "go"', alias: "NULL", length: 7 },
                { name: "Sha Tin, turf", alias: "", length: 1000 },
                { name: "two\nlines", alias: null, length: null },
            ]);
        },
    );
});

test("a value that is not of its type is named with file, line and column", async () => {
    const csv = "name,length\nSha Tin,1000\nHappy Valley,long\n";
    await withSeed(csv, typed({ name: "varchar", length: "integer" }), async (_, message) => {
        expect(message).toMatch(/^seeds\/tracks\.csv:3: column length: /);
        expect(message).toContain("long");
        expect(message).toContain("Happy Valley,long");
    });
});

test("a line with too many or too few fields is named", async () => {
    const csv = "name,length\nSha Tin,1000\nHappy Valley,1200,7\n";
    await withSeed(csv, typed({ name: "varchar", length: "integer" }), async (_, message) => {
        expect(message).toMatch(/^seeds\/tracks\.csv:3: /);
    });
    await withSeed(
        "name,length\nSha Tin\n",
        typed({ name: "varchar", length: "integer" }),
        async (_, message) => {
            expect(message).toMatch(/^seeds\/tracks\.csv:2: /);
        },
    );
});

test("a column that the yml declares and the file lacks is named with its neighbours", async () => {
    await withSeed(
        "name,lenght\nSha Tin,1000\n",
        typed({ name: "varchar", length: "integer" }),
        async (_, message) => {
            expect(message).toBe(
                "seeds/tracks.csv:1: the column length, which its yml declares, is not in the header; found: name, lenght; did you mean lenght?",
            );
        },
    );
});

test("a seed of a header alone is an empty table, and a missing file is named", async () => {
    await withSeed(
        "name,length\n",
        typed({ name: "varchar", length: "integer" }),
        async (warehouse, message) => {
            expect(message).toBeUndefined();
            expect(await warehouse.rows("from tracks")).toEqual([]);
            const built = await buildShop(warehouse, { gone: { kind: "seed", file: "seeds/gone.csv" } });
            expect(built.results[0]?.message).toContain("seeds/gone.csv");
        },
    );
});

test("a header without names, or with one twice, is refused", async () => {
    const cases = {
        "": "the file is empty; its first line must name the columns",
        "name,,length\n": "the header has no name for column 2: name,,length",
        '"name",length,name\n': "the header names the column name twice",
    };
    for (const [csv, expected] of Object.entries(cases)) {
        await withSeed(csv, [], async (_, message) => {
            expect(message).toBe(`seeds/tracks.csv:1: ${expected}`);
        });
    }
});

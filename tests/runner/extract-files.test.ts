import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../runner/errors.ts";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import type { Extracted } from "../../runner/extract/extraction.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project, Source } from "../../runner/project/project.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withWarehouse } from "../../runner/warehouse/warehouse.ts";

let folder: string;
beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rebuild-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Declared = Readonly<Record<string, string | { type: string; optional?: boolean; nullable?: boolean }>>;

function source(name: string, columns: Declared): Source {
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
    };
}

async function extract(
    sources: readonly Source[],
    { read, path = folder }: { read?: (warehouse: Warehouse) => Promise<unknown>; path?: string } = {},
): Promise<Extracted & { read: unknown }> {
    const settings = {
        path: ":memory:",
        memoryLimit: "500MB",
        threads: 2,
        spillDirectory: join(folder, "spill"),
        concurrency: 2,
    };
    return withWarehouse(settings.path, settings, async (warehouse) => {
        const extracted = await extractSources({
            project: { sources, target: { warehouse: settings } } as unknown as Project,
            connection: { type: "files", path },
            warehouse,
            report: () => {},
            signal: new AbortController().signal,
        });
        return { ...extracted, read: await read?.(warehouse) };
    });
}

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const printed = (table: string) => (warehouse: Warehouse) =>
    warehouse.rows(`select columns(*)::varchar from sources.${table}`);

const failure = async (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error as Error,
    );

async function writeParquet(name: string, query: string): Promise<void> {
    const settings = { memoryLimit: "200MB", threads: 1, spillDirectory: join(folder, "spill") };
    await withWarehouse(":memory:", settings, (warehouse) =>
        warehouse.execute(`copy (${query}) to '${join(folder, name)}' (format parquet)`),
    );
}

const menu = source("menu", {
    id: "bigint",
    name: "varchar",
    price: "decimal(8,2)",
    since: "date",
    eaten_at: "timestamptz",
    ready_in: "interval",
    hot: "boolean",
    stars: { type: "smallint", optional: true },
});

describe("a CSV file", () => {
    it("is read by the names of its header, whatever their order, and other columns are left out", async () => {
        await write(
            "menu.csv",
            [
                "since,Name,notes,id,price,hot,ready_in,eaten_at",
                '2024-02-29,"Soup, ""hot""\nand good",x,9007199254740993,12.50,true,13.85,2024-02-29 12:00:00+02',
                '2024-03-01,"",x,2,3,false,0:01:02.5,2024-02-29 12:00:00.000001',
                ",,x,3,,,1:02.5,",
                "",
            ].join("\n"),
        );
        const { read, results, missingOptional } = await extract([menu], { read: printed("menu") });
        expect(results).toMatchObject([{ name: "menu", status: "success", rows: 3, columns: 8 }]);
        expect(missingOptional).toEqual([{ source: "menu", column: "stars" }]);
        expect(read).toEqual([
            {
                id: "9007199254740993",
                name: 'Soup, "hot"\nand good',
                price: "12.50",
                since: "2024-02-29",
                eaten_at: "2024-02-29 10:00:00+00",
                ready_in: "00:00:13.85",
                hot: "true",
                stars: null,
            },
            {
                id: "2",
                name: "",
                price: "3.00",
                since: "2024-03-01",
                eaten_at: "2024-02-29 12:00:00.000001+00",
                ready_in: "00:01:02.5",
                hot: "false",
                stars: null,
            },
            {
                id: "3",
                name: null,
                price: null,
                since: null,
                eaten_at: null,
                ready_in: "00:01:02.5",
                hot: null,
                stars: null,
            },
        ]);
    });

    it("may be compressed, may lie in parts, may hold nothing but its header", async () => {
        const columns = { id: "integer", name: "varchar" };
        await writeFile(join(folder, "fruit.csv.gz"), gzipSync("id,name\n1,apple\n"));
        await mkdir(join(folder, "juice"));
        await write("juice/a.csv", "id,name\n1,lime\n");
        await write("juice/b.csv", "name,id\nplum,2\n");
        await write("empty.csv", "id,name\n");
        const { results } = await extract(["fruit", "juice", "empty"].map((name) => source(name, columns)));
        expect(results.map(({ rows }) => rows)).toEqual([1, 2, 0]);
    });

    it("may come from Windows: a mark at its beginning, lines that end in two letters", async () => {
        await write("fruit.csv", '\ufeff"id","na""me"\r\n1,"x"\r\n2,"y\r\nz"\r\n');
        const { read } = await extract([source("fruit", { id: "integer", 'na"me': "varchar" })], {
            read: printed("fruit"),
        });
        expect(read).toEqual([
            { id: "1", 'na"me': "x" },
            { id: "2", 'na"me': "y\r\nz" },
        ]);
    });

    it.each([
        ["smallint", "40000"],
        ["smallint", "1.5"],
        ["integer", "1A"],
        ["decimal(5,1)", "1.25"],
        ["decimal(5,1)", "nan"],
        ["date", "2024-02-30"],
        ["date", "2024-02-29 13:00"],
        ["timestamp", "yesterday"],
        ["boolean", "perhaps"],
        ["interval", "soon"],
        ["interval", "0:00:01.1234567"],
        ["double", "1,5"],
    ])("with a value that is no %s stops the run with its place: %s", async (type, value) => {
        await write("basket.csv", `id,amount\n1,\n2,"${value}"\n`);
        const error = await failure(extract([source("basket", { id: "integer", amount: type })]));
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toContain(
            `${join(folder, "basket.csv")}:3: row 2, column amount: "${value}" is no ${type}`,
        );
    });

    it("tells the line of a wrong value also behind values of several lines", async () => {
        await write("basket.csv", 'id,note,amount\n1,"a\nb\nc",1\n2,d,two\n');
        const error = await failure(
            extract([source("basket", { id: "integer", amount: "integer", note: "varchar" })]),
        );
        expect(error.message).toContain("basket.csv:5: row 2, column amount");
    });

    it("with an empty field where none may be stops the run", async () => {
        await write("basket.csv", "id,amount\n1,7\n,8\n");
        const error = await failure(
            extract([source("basket", { id: { type: "integer", nullable: false }, amount: "integer" })]),
        );
        expect(error.message).toMatch(/basket\.csv:3: row 2, column id: NULL.*nullable: false/);
    });

    it("with too few fields in a line stops the run with that line", async () => {
        await write("basket.csv", "id,amount\n1,7\n2\n");
        const error = await failure(extract([source("basket", { id: "integer", amount: "integer" })]));
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(/basket\.csv.*[Ll]ine:? 3/s);
    });
});

describe("a Parquet file", () => {
    it("keeps its values where the declared types hold them exactly", async () => {
        await writeParquet(
            "menu.parquet",
            "select 1::integer as id, 'Soup' as name, 12.5::double as price, timestamp '2024-02-29' as since, timestamptz '2024-02-29 12:00:00+00' as eaten_at, 13.85::double as ready_in, true as hot, 5::hugeint as stars",
        );
        const { read } = await extract([menu], { read: printed("menu") });
        expect(read).toEqual([
            {
                id: "1",
                name: "Soup",
                price: "12.50",
                since: "2024-02-29",
                eaten_at: "2024-02-29 12:00:00+00",
                ready_in: "00:00:13.85",
                hot: "true",
                stars: "5",
            },
        ]);
    });

    it("with a value that does not fit stops the run with its row", async () => {
        await writeParquet("basket.parquet", "select n::bigint * 30000 as amount from range(3) as t(n)");
        const error = await failure(extract([source("basket", { amount: "smallint" })]));
        expect(error.message).toMatch(/basket\.parquet: row 3, column amount: "60000" is no smallint/);
    });

    it("of another type is refused before anything is read", async () => {
        await writeParquet("basket.parquet", "select true as amount");
        const error = await failure(extract([source("basket", { amount: "date" })]));
        expect(error.message).toMatch(
            /column amount of .*basket\.parquet is of type BOOLEAN and cannot be read as the declared date/,
        );
    });
});

describe("a folder", () => {
    it("without the files that are declared says what it has, all problems at once", async () => {
        await write("meun.csv", "id\n1\n");
        await write("fruit.csv", "nr,name\n1,apple\n");
        await write("juice.csv", "id\n1\n");
        await write("juice.parquet", "");
        const error = await failure(
            extract([source("menu", { id: "integer" }), source("juice", { id: "integer" })]),
        );
        expect(error.message).toMatch(/has no menu\.csv, menu\.csv\.gz, menu\.parquet.*Did you mean meun\?/);
        expect(error.message).toMatch(/holds juice\.csv and juice\.parquet: which one is meant\?/);
        const missing = await failure(extract([source("fruit", { id: "integer", nr: "date" })]));
        expect(missing.message).toMatch(/fruit\.csv has no column id.*Found: name, nr/);
    });

    it("that does not exist is named", async () => {
        const error = await failure(extract([menu], { path: join(folder, "nowhere") }));
        expect(error.message).toMatch(/nowhere, cannot be read \(ENOENT\)\. Set path:/);
    });
});

const root = resolve(import.meta.dirname, "../..");
const hongkong = process.env.HONGKONG_DATA ?? resolve(root, "../shared/data/hongkong");

/** The project's sources without its models. */
async function projectOfSources(): Promise<string> {
    const copy = join(folder, "project");
    await mkdir(join(copy, "models"), { recursive: true });
    await cp(join(root, "models/sources.yml"), join(copy, "models/sources.yml"));
    await cp(join(root, "profiles.yml"), join(copy, "profiles.yml"));
    await writeFile(join(copy, "rebuild.yml"), "name: sources\n");
    return copy;
}

it.skipIf(!existsSync(hongkong))(
    `real data is loaded by the project's own contract (needs ${hongkong})`,
    async () => {
        const { sources } = await loadProject({ root: await projectOfSources(), env: {}, target: "files" });
        const { results, read } = await extract(sources, {
            path: hongkong,
            read: (warehouse) =>
                warehouse.rows(
                    "select count(*) as n, count(finish_time) as timed, min(finish_time)::varchar as fastest from sources.sectional_times",
                ),
        });
        expect(results.map(({ name, rows }) => [name, rows])).toEqual([
            ["races", 6348],
            ["race_results", 79447],
            ["sectional_times", 79447],
        ]);
        expect(read).toEqual([{ n: 79447n, timed: 79447n, fastest: "00:00:55.16" }]);
    },
);

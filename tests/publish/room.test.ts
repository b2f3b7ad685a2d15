import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { estimateSize } from "../../runner/publish/estimate-size.ts";
import { describePublication } from "../../runner/publish/published.ts";
import { surveyTable } from "../../runner/publish/survey.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { compileModels, fillStable, type ModelSpec, publish, stable, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("room");
});
afterAll(() => database.drop());
beforeEach(() =>
    sql(`drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_meta cascade;
        create schema public`),
);

const sql = (text: string) => withClient({ url: database.url }, (client) => client.query(text));
const value = async (text: string) => Object.values((await sql(text)).rows[0] as object)[0] as number;
const databaseSize = () => value("select pg_database_size(current_database())::float8");

/** Shapes of rows that are laid out in different ways. */
const shapes: Readonly<Record<string, string>> = {
    "few numbers": "i as id, (i % 7)::integer as place",
    "many columns, half of them NULL": `i as id, ${Array.from({ length: 120 }, (_, n) =>
        n % 2 === 0
            ? `(i * ${n})::float as c${n}`
            : `case when i % 2 = 0 then (i % ${n + 2})::double end as c${n}`,
    ).join(", ")}`,
    "flags beside numbers": "i as id, i % 2 = 0 as a, i::double as b, i % 3 = 0 as c, i::double as d",
    texts: "i as id, 'horse ' || i as name, repeat(md5(i::varchar), (i % 20)::integer) as story, (i / 7)::decimal(12, 3) as prize",
    lists: "i as id, [i, i + 1, i + 2] as places, to_microseconds(i) as took",
};

const shaped: readonly ModelSpec[] = [
    {
        name: "shaped",
        config: { grain: ["id"] },
        publish: { primaryKey: ["id"], indexes: [{ columns: ["id"], unique: false }] },
    },
];

test("what a first publish will take is estimated from rows and columns, within a quarter of what it takes", async () => {
    for (const [name, columns] of Object.entries(shapes)) {
        await withMemoryWarehouse(async (warehouse) => {
            await warehouse.execute(`create table shaped as select ${columns} from range(8000) r (i)`);
            const models = [...compileModels(shaped).nodes.values()].filter((node) => node.kind === "model");
            const { tables } = await describePublication(models, "public", warehouse);
            const estimate = estimateSize(tables[0]!, await surveyTable(warehouse, tables[0]!));
            await publish({ url: database.url, warehouse, models: shaped, overrides: new Set(["columns"]) });
            const size = await value("select pg_total_relation_size('public.shaped')::float8");
            expect(estimate / size, `${name}: ${estimate} of ${size}`).toBeGreaterThan(0.75);
            expect(estimate / size, `${name}: ${estimate} of ${size}`).toBeLessThan(1.25);
        });
    }
});

test("a first publish that would outgrow what the database may reach is refused before any work on the server", () =>
    withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1, 20_000);
        const size = await databaseSize();
        const call = { url: database.url, warehouse };
        const refused = publish({ ...call, settings: { maxDatabaseBytes: size + 200_000 } });
        await expect(refused).rejects.toThrow(
            /no room to publish: the database has .*about .* more \(public\.starts .*estimated from the models' rows and columns.*max_database_bytes allows/s,
        );
        expect(await value("select count(*)::int from pg_namespace where nspname ~ '^rebuild'")).toBe(0);
        await publish({ ...call, settings: { maxDatabaseBytes: size + 20_000_000 } });
    }));

test("a growing generation needs more than the one in service has", () =>
    withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1, 20_000);
        await publish({ url: database.url, warehouse });
        await fillStable(warehouse, 2, 28_000);
        const inService = await value("select pg_total_relation_size('public.starts')::float8");
        const settings = { maxDatabaseBytes: (await databaseSize()) + inService * 1.2 };
        await expect(publish({ url: database.url, warehouse, settings })).rejects.toThrow(
            /no room to publish/,
        );
    }));

test("a role without a connection left is told so before any work", async () => {
    await sql("create role cramped superuser login connection limit 2 password 'pwd of a test'");
    try {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            const url = new URL(database.url);
            url.username = "cramped";
            url.password = "pwd of a test";
            const publishing = publish({ url: url.href, warehouse, models: stable });
            await expect(publishing).rejects.toThrow(
                /role cramped has used up its connections: alter role "cramped" connection limit 5;/,
            );
        });
    } finally {
        await sql("drop role cramped");
    }
});

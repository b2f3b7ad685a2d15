import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { fillStable, type ModelSpec, publish, stable, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
let url: string;
beforeAll(async () => {
    database = await createDatabase("exposure");
    url = database.url;
    await sql(
        "do $$ begin create role stranger; exception when duplicate_object or unique_violation then null; end $$",
    );
});
afterAll(async () => {
    await sql("drop owned by stranger");
    await database.drop();
});
beforeEach(() =>
    sql(`drop event trigger if exists open_up; drop publication if exists everything;
        drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_archive_2, rebuild_meta cascade;
        create schema public; grant usage on schema public to stranger;
        alter default privileges revoke all on tables from stranger; alter default privileges revoke all on schemas from stranger`),
);

const sql = (text: string) => withClient({ url }, (client) => client.query(text));
const value = async (text: string) => Object.values((await sql(text)).rows[0] as object)[0];

let latest = 0;
const publishTimes = (count: number, options: Partial<Parameters<typeof publish>[0]> = {}) =>
    withMemoryWarehouse(async (warehouse) => {
        const last = latest + count;
        for (let generation = ++latest; generation <= last; latest = generation++) {
            await fillStable(warehouse, generation);
            await publish({ url, warehouse, ...options });
        }
    });

/** One table with a first publish behind it. */
async function publishTracks(
    between: string,
    options: Partial<Parameters<typeof publish>[0]> = {},
    change = "",
    spec: Partial<ModelSpec> = {},
) {
    const models = [{ name: "tracks", config: { grain: ["id"] }, ...spec }];
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(
            "create table tracks as select i as id, 'track ' || i as name, i % 2 as side from range(10) r (i)",
        );
        await publish({ url, warehouse, models, ...options });
        await sql(between);
        await warehouse.execute(`update tracks set name = name || '!'; ${change}`);
        await publish({ url, warehouse, models, ...options });
    });
}

const openSchemas = `select array(select nspname::text from pg_namespace
    where nspname ~ '^(rebuild|serving)' and has_schema_privilege('stranger', oid, 'usage') order by 1)`;

test("default privileges on schemas open none of the publisher's, nor one that it creates", async () => {
    await sql(
        "alter default privileges grant all on schemas to stranger; alter default privileges grant all on tables to stranger",
    );
    await publishTimes(3, { settings: { keepGenerations: 2 } });
    expect(await value("select to_regnamespace('rebuild_archive_2') is not null")).toBe(true);
    expect(await value(openSchemas)).toEqual([]);
});

test("a private schema that somebody opened is closed again by the next publish", async () => {
    await publishTimes(1);
    await sql("grant usage on schema rebuild_archive, rebuild_build to stranger, public");
    await publishTimes(1);
    expect(await value(openSchemas)).toEqual([]);
});

test("the swap refuses when something makes more people readers on the way", async () => {
    await publishTimes(1);
    await sql(`create function public.open_up() returns event_trigger language plpgsql as $$ begin
            if current_setting('plan_cache_mode') = 'force_generic_plan' and to_regclass('public.starts') is not null then grant select on public.starts to stranger; end if; end $$;
        create event trigger open_up on ddl_command_end when tag in ('ALTER TABLE') execute function public.open_up()`);
    await expect(publishTimes(1)).rejects.toThrow(
        /who may read public\.starts would not be who could before/,
    );
    expect(await value("select has_table_privilege('stranger', 'public.starts', 'select')")).toBe(false);
});

test("policies declared in yml are in place with the rows, and take the place of those of their name", async () => {
    const withPolicy = (using: string) =>
        stable.map((model) =>
            model.name === "starts"
                ? {
                      ...model,
                      publish: {
                          ...model.publish,
                          grantSelect: ["stranger"],
                          policies: [{ name: "recent", roles: ["stranger"], using, restrictive: false }],
                      },
                  }
                : model,
        );
    const seen = () =>
        withClient({ url }, async (client) => {
            await client.query("set role stranger");
            return (await client.query<{ rows: number }>("select count(*)::int as rows from public.starts"))
                .rows[0]!.rows;
        });
    await publishTimes(1, { models: withPolicy("race_id < 10") });
    expect(await seen()).toBeLessThan(110);
    await sql("create policy by_hand on public.starts for select to stranger using (race_id = 50)");
    await publishTimes(1, { models: withPolicy("race_id < 1") });
    expect(
        await value(
            "select string_agg(policyname || qual, ' ' order by policyname) from pg_policies where schemaname = 'public'",
        ),
    ).toBe("by_hand(race_id = 50) recent(race_id < 1)");
    expect(await seen()).toBeLessThan(25);
});

test("a policy that reads its own table is refused, one that names another of a similar name is not", async () => {
    await sql("create table public.tracks_closed (id bigint)");
    await publishTracks(
        "create policy open on public.tracks using (not exists (select from public.tracks_closed as closed where closed.id = tracks.id))",
    );
    await expect(
        publishTracks(
            "create policy twice on public.tracks using (exists (select from public.tracks as t where t.id = 3))",
        ),
    ).rejects.toThrow(/policy twice of public\.tracks reads the table itself/);
});

test("identity, serial and generated columns are refused, with the way out, unless overridden", async () => {
    const byHand = `drop table public.tracks; create sequence public.numbers;
        create table public.tracks (id bigint generated by default as identity, name text collate "C" default 'none',
            side bigint default nextval('public.numbers'), width integer generated always as (3) stored);`;
    const withWidth = "alter table tracks add width integer; update tracks set width = 3";
    await expect(publishTracks(byHand, {}, withWidth)).rejects.toThrow(
        /"id" would lose its identity.*drop identity;[\s\S]*"side" would lose its default nextval.*drop default;[\s\S]*"width" would not be generated any more.*override "columns"/,
    );
    await publishTracks("select 1", { overrides: new Set(["columns"]) });
    expect(
        await value(`select column_default || collation_name || is_identity from information_schema.columns
            where table_schema = 'public' and table_name = 'tracks' and column_name = 'name'`),
    ).toBe("'none'::textCNO");
});

test("what reads a column that would be gone: policies and triggers are refused, indexes and checks go with it", async () => {
    const drop = "alter table tracks drop side";
    const overrides = new Set(["columns"] as const);
    await publishTracks(
        "create index on public.tracks ((side + 1)); alter table public.tracks add constraint sided check (side < 2); create statistics public.both on id, side from public.tracks",
        { overrides },
        drop,
    );
    expect(
        await value(
            "select count(*)::int from pg_indexes where tablename = 'tracks' and schemaname = 'public'",
        ),
    ).toBe(0);
    await sql("drop table public.tracks cascade");
    await expect(
        publishTracks("create policy left_only on public.tracks using (side = 0)", { overrides }, drop),
    ).rejects.toThrow(
        /the policy left_only of public\.tracks reads side, which would be gone: change it first/,
    );
});

test("a publication for all tables is refused unless overridden: its subscribers would receive the builds", async () => {
    await expect(publishTracks("create publication everything for all tables")).rejects.toThrow(
        /publication everything is for all tables.*override "publications"/,
    );
    await publishTracks("select 1", { overrides: new Set(["publications"]) });
});

test("a type under the wanted name is found before any work", async () => {
    await sql("create domain public.tracks as integer");
    await expect(publishTracks("select 1")).rejects.toThrow(/public\.tracks is the name of a type/);
});

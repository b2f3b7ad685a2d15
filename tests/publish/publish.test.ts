import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { compileModels, fillStable, publish, stable, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
let url: string;
beforeAll(async () => {
    database = await createDatabase("publish");
    url = database.url;
    await sql(`
        -- Roles belong to the server, which other test files use at the same time.
        do $$ begin create role anon; exception when duplicate_object or unique_violation then null; end $$;
        do $$ begin create role tipster; exception when duplicate_object or unique_violation then null; end $$;
        grant usage on schema public to anon, tipster;`);
});
afterAll(async () => {
    await sql(
        "drop schema public, rebuild_build, rebuild_archive, rebuild_meta cascade; drop owned by anon, tipster",
    ).catch(() => undefined);
    await database.drop();
});
const reset = () =>
    sql(`
        drop schema if exists serving, rebuild_build, rebuild_archive, rebuild_archive_2, rebuild_archive_3, rebuild_meta cascade;
        drop schema public cascade; create schema public; grant usage on schema public to anon, tipster;
        alter default privileges revoke all on tables from public, anon;`);

const sql = (text: string) => withClient({ url }, (client) => client.query(text));
async function rows<Row = Record<string, unknown>>(text: string): Promise<readonly Row[]> {
    return (await withClient({ url }, (client) => client.query<Row>(text))).rows;
}
const value = async (text: string) => Object.values((await rows(text))[0]!)[0];

/** Publishes generations 1 to `count` of the stable. */
const publishTimes = (count: number, options: Partial<Parameters<typeof publish>[0]> = {}) =>
    withMemoryWarehouse(async (warehouse) => {
        for (let generation = 1; generation <= count; generation++) {
            await fillStable(warehouse, generation);
            await publish({ url, warehouse, ...options });
        }
    });

describe("a publish", () => {
    beforeEach(reset);

    test("puts tables, views, indexes and comments in place", async () => {
        await publishTimes(1);
        expect(await value("select count(*)::int from public.starts")).toBe(980);
        expect(await value("select count(*)::int from serving.form")).toBe(49);
        expect(await value("select count(*)::int from public.latest_starts where form_generation = 1")).toBe(
            49,
        );
        expect(
            await rows("select indexname as name from pg_indexes where schemaname = 'public' order by 1"),
        ).toEqual([
            { name: "current_form_horse_key" },
            { name: "latest_starts_horse_key" },
            { name: "starts_pkey" },
            { name: "starts_race_date_idx" },
        ]);
        expect(await value("select contype from pg_constraint where conname = 'starts_pkey'")).toBe("p");
        expect(await value("select col_description('public.starts'::regclass, 5)")).toBe(
            "Speed in the race. (tier: history; unit: m/s)",
        );
        expect(await value("select obj_description('public.current_form'::regclass)")).toBe(
            "The model current_form.",
        );
        await sql("refresh materialized view concurrently public.current_form");
        expect(
            await value(
                "select count(*)::int from pg_class where relnamespace = 'rebuild_build'::regnamespace",
            ),
        ).toBe(0);
    });

    test("swaps tables and views together, and keeps the generation before", async () => {
        await publishTimes(3);
        for (const name of ["public.starts", "serving.form", "public.current_form", "public.latest_starts"]) {
            expect(await value(`select max(generation) from ${name}`)).toBe(3);
        }
        expect(await value("select max(generation) from rebuild_archive.starts")).toBe(2);
        expect(await value("select max(form_generation) from rebuild_archive.latest_starts")).toBe(2);
        await sql("refresh materialized view public.latest_starts");
        expect(await value("select max(form_generation) from public.latest_starts")).toBe(3);
        expect(
            await value(
                "select count(*)::int from pg_class where relkind in ('r', 'm') and relname = 'starts'",
            ),
        ).toBe(2);
    });

    test("keeps as many generations as asked for", async () => {
        await publishTimes(4, { settings: { keepGenerations: 2 } });
        expect(await value("select max(generation) from rebuild_archive.starts")).toBe(3);
        expect(await value("select max(generation) from rebuild_archive_3.starts")).toBe(2);
        expect(
            await rows("select nspname from pg_namespace where nspname like 'rebuild_archive%'"),
        ).toHaveLength(2);
    });

    test("leaves nothing behind when nothing is tagged", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            const result = await publish({ url, warehouse, names: new Set() });
            expect(result.results).toEqual([]);
        });
        expect(await value("select to_regnamespace('rebuild_build')")).toBeNull();
    });

    test("of one table takes along the views that read it, and what those read", async () => {
        await publishTimes(1);
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 2);
            const result = await publish({ url, warehouse, names: new Set(["starts"]) });
            expect(result.results.map(({ name }) => name).sort()).toEqual([
                "public.current_form",
                "public.latest_starts",
                "public.starts",
                "serving.form",
            ]);
        });
    });

    test("of a table without views leaves the rest as it is", async () => {
        const alone = [...stable, { name: "tracks", config: { grain: ["track"] } }];
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await warehouse.execute("create table tracks as select 'Sha Tin' as track");
            await publish({ url, warehouse, models: alone });
            await fillStable(warehouse, 2);
            await warehouse.execute("update tracks set track = 'Happy Valley'");
            await publish({ url, warehouse, models: alone, names: new Set(["tracks"]) });
        });
        expect(await value("select max(generation) from public.starts")).toBe(1);
        expect(await value("select track from rebuild_archive.tracks")).toBe("Sha Tin");
    });

    test("says what it does in events", async () => {
        const events: RunEvent[] = [];
        await publishTimes(1, { events });
        const ends = events.filter((event) => event.type === "node-end");
        expect(ends.map(({ result }) => [result.name, result.status, result.rows])).toEqual([
            ["public.starts", "success", 980],
            ["serving.form", "success", 49],
            ["public.current_form", "success", 49],
            ["public.latest_starts", "success", 49],
        ]);
    });
});

describe("who may read", () => {
    beforeEach(reset);

    test("is nobody by default privileges, and who is declared", async () => {
        await sql("alter default privileges grant all on tables to anon, public");
        const models = stable.map((model) =>
            model.name === "starts"
                ? { ...model, publish: { ...model.publish, grantSelect: ["tipster"] } }
                : model,
        );
        const readable: unknown[] = [];
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({
                url,
                warehouse,
                models,
                onStep: async () => {
                    readable.push(
                        ...(await rows(
                            `select oid::regclass::text as name from pg_class where relkind in ('r', 'm')
                             and relnamespace::regnamespace::text in ('public', 'serving', 'rebuild_build')
                             and has_table_privilege('anon', oid, 'select') and has_schema_privilege('anon', relnamespace, 'usage')`,
                        )),
                    );
                },
            });
        });
        expect(readable).toEqual([]);
        expect(await value("select has_table_privilege('tipster', 'public.starts', 'select')")).toBe(true);
        expect(await value("select has_table_privilege('anon', 'public.current_form', 'select')")).toBe(
            false,
        );
        expect(await value("select has_schema_privilege('anon', 'serving', 'usage')")).toBe(false);
    });

    test("is carried over: grants, column grants, row security, policies, owner", async () => {
        await publishTimes(1);
        await sql(`
            grant select on public.starts to anon with grant option;
            grant select (horse, starts), update (days) on public.current_form to tipster;
            alter table public.starts enable row level security;
            alter table public.starts force row level security;
            create policy recent on public.starts as restrictive for select to anon, tipster using (race_date > '2020-01-05');
            create policy everyone on public.starts for select using (true);
            create role breeder bypassrls; alter materialized view public.latest_starts owner to breeder; grant usage on schema serving to breeder;
            grant select on public.starts, serving.form to breeder;
            comment on column public.starts.prize is 'By hand.';
            alter table public.starts alter column horse set statistics 500, alter column horse set (n_distinct = -0.5), set (fillfactor = 80);
            create index by_upper_horse on public.starts (upper(horse) text_pattern_ops) where is_win;
            create statistics serving.together (dependencies) on horse, race_id from public.starts;
            alter statistics serving.together set statistics 77; comment on statistics serving.together is 'Both.';
            alter table public.starts replica identity full;
            alter table public.starts add constraint sane check (generation > 0);
            alter table public.starts add constraint only_one unique (race_id, horse, generation) deferrable initially deferred;
            alter table public.starts drop constraint starts_pkey, add constraint starts_pkey primary key (race_id, horse) include (prize);
            alter table public.starts alter column is_win set default false, alter column horse set storage external,
                alter column horse set compression pglz;
            comment on constraint sane on public.starts is 'No zero.'; comment on constraint only_one on public.starts is 'One.';
            comment on policy recent on public.starts is 'Not older.'; comment on index public.by_upper_horse is 'Search.';
            create publication feed for table public.starts (race_id, horse, generation) where (generation > 0);
            create function public.note() returns trigger language plpgsql as 'begin return new; end';
            create trigger noted before update of prize on public.starts for each row execute function public.note();
            alter table public.starts disable trigger noted; comment on trigger noted on public.starts is 'Noted.';`);
        try {
            const before = await describeObjects();
            await withMemoryWarehouse(async (warehouse) => {
                await fillStable(warehouse, 2);
                await publish({ url, warehouse });
            });
            expect(await describeObjects()).toEqual(before);
            expect(await value("select max(generation) from public.starts")).toBe(2);
            expect(
                await value(
                    "select string_agg(tablename || attnames::text, ',') from pg_publication_tables where pubname = 'feed'",
                ),
            ).toBe("starts{race_id,horse,generation}");
        } finally {
            await sql(
                "drop publication if exists feed; reassign owned by breeder to postgres; drop owned by breeder; drop role breeder",
            );
        }
    });
});

/** Everything that readers and the planner know of the objects, as the server prints it. */
async function describeObjects(): Promise<unknown> {
    return withClient({ url }, async (client: PostgresClient) => {
        await client.query("set search_path = ''");
        const { rows: found } = await client.query(`
            select relname, relowner::regrole::text, relkind, relrowsecurity, relforcerowsecurity, relreplident, reloptions,
                (select array_agg(acl::text order by acl::text) from unnest(relacl) as acl) as acl,
                obj_description(oid) as comment,
                (select json_agg(json_build_object('n', attname, 't', atttypid, 's', attstattarget, 'o', attoptions, 'a', attacl::text,
                    'nn', attnotnull, 'c', col_description(attrelid, attnum), 'g', attstorage, 'z', attcompression, 'l', attcollation,
                    'd', (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum)) order by attnum)
                 from pg_attribute where attrelid = pg_class.oid and attnum > 0) as columns,
                (select json_agg(concat(pg_get_indexdef(indexrelid), obj_description(indexrelid)) order by indexrelid::regclass::text) from pg_index where indrelid = pg_class.oid) as indexes,
                (select json_agg(concat(conname, pg_get_constraintdef(oid), obj_description(oid)) order by conname) from pg_constraint where conrelid = pg_class.oid) as constraints,
                (select json_agg(concat(policies, (select obj_description(oid) from pg_policy where polname = policyname and polrelid = pg_class.oid)) order by policyname) from pg_policies as policies where schemaname = relnamespace::regnamespace::text and tablename = relname) as policies,
                (select json_agg(concat(pg_get_triggerdef(oid), tgenabled, obj_description(oid))) from pg_trigger where tgrelid = pg_class.oid and not tgisinternal) as triggers,
                (select json_agg(concat(pg_get_statisticsobjdef(oid), stxstattarget, obj_description(oid))) from pg_statistic_ext where stxrelid = pg_class.oid) as statistics,
                (select json_agg(prattrs::text || pg_get_expr(prqual, prrelid)) from pg_publication_rel where prrelid = pg_class.oid) as publications
            from pg_class where relnamespace in ('public'::regnamespace, 'serving'::regnamespace) and relkind in ('r', 'm')
            order by relname`);
        return found;
    });
}

describe("a publish is refused, and the generation in service stays", () => {
    beforeAll(async () => {
        await reset();
        await publishTimes(1);
    });

    const refused = async (
        message: RegExp,
        {
            prepare,
            undo,
            change,
            ...options
        }: Partial<Parameters<typeof publish>[0]> & {
            readonly prepare?: string;
            readonly undo?: string;
            readonly change?: string;
        },
    ) => {
        if (prepare) await sql(prepare);
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 2);
            if (change) await warehouse.execute(change);
            await expect(publish({ url, warehouse, ...options })).rejects.toThrow(message);
        });
        if (undo) await sql(undo);
        expect(
            await rows(
                "select (select max(generation) from public.starts) as starts, max(generation) as form from public.current_form",
            ),
        ).toEqual([{ starts: 1, form: 1 }]);
    };

    test("when it shrank", () =>
        refused(
            /public\.starts stays .*\n- It has 500 rows, .* of the 980 in service; allowed are 90 to 150 %.*"row-count"/,
            { change: "delete from starts where race_id > 50" },
        ));

    test("when its latest date went back", () =>
        refused(/latest race_date is 2020-04-05; that in service is 2020-04-09/, {
            change: "update starts set race_date = '2020-04-05' where race_date > '2020-04-05'",
        }));

    test("when a column lost all its values", () =>
        refused(/All values are NULL now in: speed/, { change: "update starts set speed = null" }));

    test("when a column is gone or has another type", () =>
        refused(
            /column "speed" \(real\) would be gone.*\n.*column "prize" would change from numeric\(12,3\) to double precision/,
            { change: "alter table starts alter prize type double; alter table starts drop speed" },
        ));

    test("when a view of somebody else reads it", () =>
        refused(/view public\.winners is bound to public\.starts/, {
            prepare: "create view public.winners as select * from public.starts where is_win",
            undo: "drop view public.winners",
        }));

    test("when a foreign key points at it", () =>
        refused(/foreign key bets_.* of public\.bets points at public\.starts/, {
            prepare:
                "create table public.bets (race_id bigint, horse text, foreign key (race_id, horse) references public.starts)",
            undo: "drop table public.bets",
        }));

    test("when a function is bound to it", () =>
        refused(/function public\.best\(\) is bound to public\.starts/, {
            prepare:
                "create function public.best() returns setof public.starts language sql as 'select * from public.starts'",
            undo: "drop function public.best()",
        }));

    test("when what arrived is not what was sent", () =>
        refused(/sum of "starts_before": \d+ in the model, \d+ in Postgres/, {
            onStep: async (step) => {
                if (step === "verify") {
                    await sql("update rebuild_build.starts set starts_before = 99 where race_id = 3");
                }
            },
        }));

    test("when a sampled row differs though all sums agree", () =>
        refused(/sampled rows, read back, are not the bytes that were sent/, {
            onStep: async (step) => {
                if (step === "verify") await sql("update rebuild_build.form set horse = reverse(horse)");
            },
        }));

    test("when a view names a table in service", () =>
        refused(/reads public\.starts, which this publish replaces/, {
            models: stable.map((model) =>
                model.name === "latest_starts"
                    ? {
                          ...model,
                          view: {
                              sql: "select horse, max(generation) as generation, count(*) as starts, 1 as form_generation from public.starts group by horse",
                              refs: [],
                          },
                      }
                    : model,
            ),
        }));

    test.each([
        [
            "gave somebody rights",
            "swap",
            "grant select on public.starts to anon",
            "revoke select on public.starts from anon",
        ],
        [
            "made a view on it",
            "load",
            "create view public.late as select 1 as one from public.starts",
            "drop view public.late",
        ],
        ["made an index", "load", "create index late on public.starts (speed)", "drop index public.late"],
        [
            "made a function of its rows",
            "load",
            "create function public.late() returns setof public.starts language sql as 'select null::public.starts'",
            "drop function public.late",
        ],
    ] as const)("when somebody %s while it was built", (_what, at, prepare, undo) =>
        refused(/public\.starts was changed by somebody/, {
            onStep: async (step) => {
                if (step === at) await sql(prepare);
            },
            undo,
        }),
    );

    test("when the connection is cut during the load", () =>
        refused(/connection/, {
            settings: { maxBytesPerSecond: 90_000 },
            onStep: (step) => {
                if (step !== "load") return;
                setTimeout(() => {
                    sql(`select pg_terminate_backend(pid) from pg_stat_activity
                        where application_name = 'rebuild publish test' and datname = current_database()`);
                }, 100);
            },
        }));

    test("when the lock was lost on the way", () =>
        refused(/lock/, {
            onStep: async (step) => {
                if (step !== "swap") return;
                await sql(`select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory'
                    and database = (select oid from pg_database where datname = current_database())`);
            },
        }));
});

describe("besides", () => {
    beforeEach(reset);

    test("names all tables that are out of bounds, once", async () => {
        await publishTimes(1);
        const events: RunEvent[] = [];
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 2);
            await warehouse.execute(
                "delete from starts where race_id > 50; delete from form where horse > 'b'",
            );
            await expect(publish({ url, warehouse, events })).rejects.toThrow(
                /serving\.form stays[\s\S]*public\.starts stays|public\.starts stays[\s\S]*serving\.form stays/,
            );
        });
        const told = events.filter(
            (event) => event.type === "node-end" && event.result.message !== undefined,
        );
        expect(told).toEqual([]);
    });

    test("overrides let a change pass, and are recorded", async () => {
        await publishTimes(1);
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 2);
            await warehouse.execute("delete from starts where race_id > 50; alter table starts drop speed");
            await publish({ url, warehouse, overrides: new Set(["row-count", "columns", "dates"]) });
        });
        expect(await value("select max(generation) from public.starts")).toBe(2);
        expect(await value("select overrides from rebuild_meta.generation where id = 2")).toEqual([
            "row-count",
            "columns",
            "dates",
        ]);
    });

    test("a table made by hand under the name is replaced when its columns allow it", async () => {
        await sql("create table public.tracks (track text, name text not null)");
        await sql("grant select on public.tracks to anon; insert into public.tracks values ('ST', 'old')");
        const models = [{ name: "tracks", config: { grain: ["track"] } }];
        await withMemoryWarehouse(async (warehouse) => {
            await warehouse.execute(
                "create table tracks as select 'Sha Tin' as name, 'ST' as track, 1 as id",
            );
            await publish({ url, warehouse, models });
        });
        expect(await rows("select * from public.tracks")).toEqual([{ name: "Sha Tin", track: "ST", id: 1 }]);
        expect(await value("select name from rebuild_archive.tracks")).toBe("old");
        expect(await value("select has_table_privilege('anon', 'public.tracks', 'select')")).toBe(true);
    });

    test("a table of every type passes its own verification, extreme values included", () =>
        withMemoryWarehouse(async (warehouse) => {
            await warehouse.execute(`create table everything as
                select i as id, i % 2 = 0 as a_boolean, (i - 100)::tinyint as a_tinyint, i::utinyint as a_utinyint, i::usmallint as a_usmallint,
                    i::ubigint + 18446744073709551000 as a_ubigint, (i::hugeint - 100) * 10::hugeint ** 30 as a_hugeint, i::uhugeint as a_uhugeint,
                    case i when 3 then 'nan' when 4 then '-inf' else i / 7 end::float as a_float, case i when 3 then 'inf' else i / 7 end::double as a_double,
                    i / 7.0 as a_plain_double, (i / 7)::decimal(9, 3) as a_decimal, (i / 7)::decimal(38, 10) as a_wide_decimal,
                    'text ü ' || i as a_text, ('{"i": ' || i || '}')::json as a_json, ('blob ' || i)::blob as a_blob, gen_random_uuid() as a_uuid,
                    case i when 5 then 'infinity'::date when 6 then '-infinity'::date else date '1999-12-20' + i::integer end as a_date,
                    case i when 5 then 'infinity'::timestamp else timestamp '1969-12-31 23:59:59.999999' + to_hours(i) end as a_timestamp,
                    case i when 5 then '-infinity'::timestamptz else timestamptz '1969-12-31 23:59:59.999999+00' + to_hours(i) end as a_timestamptz,
                    (timestamp '2001-02-03 04:05:06' + to_hours(i))::timestamp_s as a_timestamp_s, (timestamp '2001-02-03 04:05:06.789' + to_hours(i))::timestamp_ms as a_timestamp_ms,
                    time '10:00:00.5' + to_minutes(i) as a_time, to_minutes(i) - interval 3 month as an_interval,
                    (case when i % 2 = 0 then 'good' else 'firm' end)::enum('good', 'firm') as an_enum, [i, null, -i] as a_list, null::integer as an_empty
                from range(200) r (i)`);
            const models = [{ name: "everything", config: { grain: ["id"] } }];
            await publish({ url, warehouse, models });
            await publish({ url, warehouse, models });
            expect(await value("select count(*)::int from public.everything")).toBe(200);
        }));

    test("a view in the place of a table is refused", async () => {
        await sql("create view public.tracks as select 1 as id");
        await withMemoryWarehouse(async (warehouse) => {
            await warehouse.execute("create table tracks as select 1 as id");
            await expect(publish({ url, warehouse, models: [{ name: "tracks" }] })).rejects.toThrow(
                /public\.tracks exists as a view, and a table is to be published/,
            );
        });
    });

    test("types and names that Postgres cannot hold are refused together, before any work", async () => {
        const long = `a_${"very_".repeat(13)}long_name`;
        await withMemoryWarehouse(async (warehouse) => {
            await warehouse.execute(`create table tracks as select {'a': 1} as shape, 1 as ${long}`);
            const publishing = publish({ url, warehouse, models: [{ name: "tracks" }] });
            await expect(publishing).rejects.toThrow(
                /Postgres keeps 63 of a name.*\n.*"shape" has the type STRUCT/s,
            );
        });
        expect(compileModels([]).order).toEqual([]);
    });

    test("a second publisher is told who holds the lock, with exit code 3", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({
                url,
                warehouse,
                onStep: async (step) => {
                    if (step !== "load") return;
                    const second = publish({ url, warehouse });
                    await expect(second).rejects.toMatchObject({ reason: "locked", exitCode: 3 });
                    await expect(publish({ url, warehouse })).rejects.toThrow(
                        /rebuild lock test, server process \d+/,
                    );
                },
            });
        });
    });

    test("a long reader is waited for; after the time allowed the build stays, and the next run goes through", async () => {
        await publishTimes(1);
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 2);
            await withClient({ url, applicationName: "a long report" }, async (reader) => {
                await reader.query("begin; select count(*) from public.starts");
                const publishing = publish({ url, warehouse, settings: { swapTimeoutSeconds: 1 } });
                await expect(publishing).rejects.toThrow(
                    /within 1 s .*\n- public\.starts: a long report, user postgres/s,
                );
                // Other readers were not held up, and see the generation in service.
                expect(await value("select max(generation) from public.starts")).toBe(1);
                expect(await value("select max(generation) from rebuild_build.starts")).toBe(2);
                await reader.query("commit");
            });
            await publish({ url, warehouse });
        });
        expect(await value("select max(generation) from public.current_form")).toBe(2);
    });
});

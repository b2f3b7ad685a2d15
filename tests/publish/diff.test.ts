import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { listGenerations } from "../../runner/publish/list-generations.ts";
import { rollback } from "../../runner/publish/rollback.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { writeAuditSummary } from "../../runner/warehouse/metadata.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { withReaders } from "./readers.ts";
import { watchDdl } from "./rest-api.ts";
import { connectionTo, fillStable, inMode, publish, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
let url: string;
beforeAll(async () => {
    database = await createDatabase("diff");
    url = database.url;
});
afterAll(() => database.drop());
beforeEach(() =>
    sql(`drop event trigger if exists pgrst_ddl_watch; drop event trigger if exists pgrst_drop_watch;
        drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_meta cascade; create schema public`),
);

const sql = (text: string) => withClient({ url }, (client) => client.query(text));
const value = async (text: string) => Object.values((await sql(text)).rows[0] as object)[0];
const oids = () =>
    value(
        "select array_agg(oid::int order by oid) from pg_class where relnamespace::regnamespace::text in ('public', 'serving')",
    );
const inService = () =>
    sql(
        "select max(generation) as starts, (select max(form_generation) from public.latest_starts) as latest from public.starts",
    ).then(({ rows }) => rows[0]);

const signal = new AbortController().signal;
const rollBack = (to?: number) =>
    rollback({
        connection: connectionTo(url),
        run: { id: "test", startedAt: new Date() },
        report: () => undefined,
        signal,
        ...(to !== undefined && { to }),
    });

/** The stable with its tables changed in place. */
const inPlace = inMode("diff");

describe("rows that differ are changed in place", () => {
    test("deleted, updated and inserted, views included, without touching an object", () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse, models: inPlace });
            const before = await oids();
            await warehouse.execute(`delete from starts where race_id = 3; update starts set prize = prize + 1 where race_id = 4;
                insert into starts select 1000 as race_id, * exclude (race_id) from starts where race_id = 5;
                update form set generation = 2`);
            const result = await publish({ url, warehouse, models: inPlace });
            expect(result.generation).toBe(2);
            expect(await oids()).toEqual(before);
            expect(
                await value(
                    "select array_agg(change || ' ' || rows order by change) from (select change, count(*) as rows from rebuild_meta.undo where oid = 'public.starts'::regclass group by 1) as counts",
                ),
            ).toEqual(["delete 10", "insert 10", "update 10"]);
            expect(await value("select max(form_generation) from public.latest_starts")).toBe(2);
            expect(await value("select count(*)::int from public.starts where race_id in (3, 1000)")).toBe(
                10,
            );
        }));

    test("values that only look the same are changed too, and types without an equality compared", () =>
        withMemoryWarehouse(async (warehouse) => {
            const models = [{ name: "odd", config: { grain: ["id"] }, publish: { mode: "diff" as const } }];
            const make = (json: string, span: string, list: string) =>
                warehouse.execute(`create or replace table odd as select i as id, '${json}'::json as doc, interval '${span}' as span,
                    ${list}::integer[] as list, case when i = 1 then 'nan' else '0' end::double as number from range(3) r (i)`);
            await make('{"a": 1}', "30 days", "[1, null]");
            await publish({ url, warehouse, models });
            await publish({ url, warehouse, models });
            expect(await value("select count(*)::int from rebuild_meta.undo")).toBe(0);
            await make('{"a":  1}', "1 month", "[1]");
            await publish({ url, warehouse, models });
            expect(
                await value(
                    "select string_agg(doc::text || span || list::text, ';') from public.odd where id = 2",
                ),
            ).toBe('{"a":  1}1 mon{1}');
            await rollBack();
            expect(
                await value("select doc::text || span || list::text || number from public.odd where id = 1"),
            ).toBe('{"a": 1}30 days{1,NULL}NaN');
        }));

    test("readers meet no mixture, and the REST API no reload", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse, models: inPlace });
            await sql(watchDdl);
            await withClient({ url }, async (listener) => {
                let reloads = 0;
                listener.driver.on("notification", () => reloads++);
                await listener.query("listen pgrst");
                const report = await withReaders(url, { perPattern: 1 }, async () => {
                    for (const generation of [2, 3]) {
                        await fillStable(warehouse, generation);
                        await publish({ url, warehouse, models: inPlace });
                        expect(await inService()).toEqual({ starts: generation, latest: generation });
                    }
                });
                expect(report).toMatchObject({ errors: [], empty: 0, mixed: 0 });
                await listener.query("select 1");
                expect(reloads).toBe(0);
            });
        });
    });

    test("a rollback undoes the changes, and can be undone itself", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            for (const generation of [1, 2]) {
                await fillStable(warehouse, generation, 1000 + generation * 20);
                await publish({ url, warehouse, models: inPlace });
            }
        });
        const before = await value(
            "select md5(string_agg(s::text, '|' order by race_id, horse)) from public.starts s",
        );
        const rows = await value("select count(*)::int from public.starts");
        expect(await rollBack()).toMatchObject({ generation: 3 });
        expect(await inService()).toEqual({ starts: 1, latest: 1 });
        expect(await value("select count(*)::int from public.starts")).toBeLessThan(rows as number);
        await rollBack();
        expect(
            await value("select md5(string_agg(s::text, '|' order by race_id, horse)) from public.starts s"),
        ).toBe(before);
        const generations = await listGenerations({ connection: connectionTo(url), signal });
        expect(generations.map(({ kind, mode, state }) => [kind, mode, state].join(" "))).toEqual([
            "rollback diff live",
            "rollback diff superseded",
            "publish diff superseded",
            "publish swap superseded",
        ]);
        // What was put back is not taken for what was published before.
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1, 1020);
            await publish({ url, warehouse, models: inPlace, overrides: new Set(["dates"]) });
        });
        expect(await inService()).toEqual({ starts: 1, latest: 1 });
    });
});

describe("a swap is made instead", () => {
    const mode = async () => (await listGenerations({ connection: connectionTo(url), signal }))[0]!.mode;

    test("for a first publish, a new column, an index taken away by hand, and a view of another definition", () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse, models: inPlace });
            expect(await mode()).toBe("swap");
            await fillStable(warehouse, 2);
            await warehouse.execute("alter table starts add column sire varchar");
            await publish({ url, warehouse, models: inPlace });
            expect(await mode()).toBe("swap");
            await sql("drop index public.starts_race_date_idx");
            await warehouse.execute("update starts set generation = 3; update form set generation = 3");
            await publish({ url, warehouse, models: inPlace });
            expect(await mode()).toBe("swap");
            expect(
                await value(
                    "select count(*)::int from pg_indexes where indexname = 'starts_race_date_idx' and schemaname = 'public'",
                ),
            ).toBe(1);
            await warehouse.execute("update starts set generation = 4; update form set generation = 4");
            await publish({ url, warehouse, models: inPlace });
            expect(await mode()).toBe("diff");
        }));
});

describe("a failed change in place leaves all as it was", () => {
    const refused = async (
        message: RegExp,
        change: string,
        options: Partial<Parameters<typeof publish>[0]> = {},
    ) => {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse, models: inPlace });
            await fillStable(warehouse, 2);
            if (change) await warehouse.execute(change);
            await expect(publish({ url, warehouse, models: inPlace, ...options })).rejects.toThrow(message);
        });
        expect(await inService()).toEqual({ starts: 1, latest: 1 });
        expect(await value("select count(*)::int from rebuild_meta.undo")).toBe(0);
    };

    test("when it shrank", () => refused(/"row-count"/, "delete from starts where race_id > 50"));

    test("when somebody holds the rows for longer than is waited", () =>
        refused(/did not get its locks within 1 s.*the next run changes the rows/, "", {
            settings: { swapTimeoutSeconds: 1 },
            onStep: async (step) => {
                if (step !== "swap") return;
                const writer = withClient({ url }, (client) =>
                    client.query(
                        "update public.starts set is_win = is_win where race_id = 1; select pg_sleep(4)",
                    ),
                );
                writer.catch(() => undefined);
                await new Promise((resolve) => setTimeout(resolve, 200));
            },
        }));

    test("when a trigger interferes", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse, models: inPlace });
            await sql(`create function public.meddle() returns trigger language plpgsql as 'begin new.prize := 0; return new; end';
                create trigger meddle before update on public.starts for each row execute function public.meddle()`);
            await fillStable(warehouse, 2);
            await expect(publish({ url, warehouse, models: inPlace })).rejects.toThrow(
                /a trigger interfered/,
            );
        });
        expect(await inService()).toEqual({ starts: 1, latest: 1 });
    });

    test("when the lock was lost on the way", () =>
        refused(/lock/, "", {
            onStep: async (step) => {
                if (step !== "swap") return;
                await sql(`select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory'
                    and database = (select oid from pg_database where datname = current_database())`);
            },
        }));
});

describe("what is unchanged is not loaded again", () => {
    const notes = (events: readonly RunEvent[]) =>
        events.flatMap((event) => (event.type === "note" ? [event.message] : []));

    test("nothing is swapped, and the generation in service is named", () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse });
            await sql("create table public.clock (day int); insert into public.clock values (1)");
            const before = await oids();
            const events: RunEvent[] = [];
            const result = await publish({ url, warehouse, events });
            expect(result).toMatchObject({ generation: 1, swapAttempts: 0 });
            expect(result.results.map(({ status, detail }) => `${status} ${detail}`)).toContain(
                "success table, unchanged",
            );
            expect(notes(events).join()).toContain(
                "unchanged, not loaded again: public.starts, serving.form",
            );
            expect(await oids()).toEqual(before);
            expect(await value("select max(id)::int from rebuild_meta.generation")).toBe(1);
        }));

    test("the run that found so is recorded with the generation in service, and so is its audit", () =>
        withMemoryWarehouse(async (warehouse) => {
            const publishWith = async (id: string, audit: object | undefined) => {
                await warehouse.execute("create schema if not exists rebuild_meta");
                await writeAuditSummary(warehouse, audit);
                await publish({ url, warehouse, run: { id, startedAt: new Date() } });
                return listGenerations({ connection: connectionTo(url), signal });
            };
            await fillStable(warehouse, 1);
            await warehouse.execute("create schema sources; create table sources.races as select 1 as id");
            expect(await publishWith("first", { passed: true, replays: 3 })).toMatchObject([
                { id: 1, runId: "first", audit: { replays: 3 }, confirmed: null },
            ]);
            const second = await publishWith("second", { passed: true, replays: 7 });
            expect(second).toMatchObject([
                { id: 1, runId: "first", audit: { replays: 7 }, confirmed: { runId: "second" } },
            ]);
            expect(new Date(second[0]!.confirmed!.at).getTime()).toBeGreaterThan(0);
            // A run without an audit of its own leaves the one that there is.
            expect(await publishWith("third", undefined)).toMatchObject([
                { id: 1, audit: { replays: 7 }, confirmed: { runId: "third" } },
            ]);
            await fillStable(warehouse, 2);
            expect(await publishWith("fourth", { replays: 9 })).toMatchObject([
                { id: 2, runId: "fourth", audit: { replays: 9 }, confirmed: null },
                { id: 1, audit: { replays: 7 }, confirmed: { runId: "third" } },
            ]);
        }));

    test("views over changed and unchanged tables are built over both; what goes back goes back whole", async () => {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse });
            const form = await value("select 'serving.form'::regclass::oid::int");
            await warehouse.execute("update starts set generation = 2");
            await publish({ url, warehouse });
            expect(await value("select 'serving.form'::regclass::oid::int")).toBe(form);
            expect(
                await sql(
                    "select max(generation) as starts, max(form_generation) as form from public.latest_starts",
                ).then(({ rows }) => rows),
            ).toEqual([{ starts: 2, form: 1 }]);
            // The archived view reads the table in service, which must not hinder the next swap of that.
            await warehouse.execute("update form set generation = 3");
            await publish({ url, warehouse });
            expect(await value("select max(form_generation) from public.latest_starts")).toBe(3);
            await rollBack();
            expect(await value("select 'serving.form'::regclass::oid::int")).toBe(form);
            await sql("refresh materialized view concurrently public.latest_starts");
            expect(await value("select max(form_generation) from public.latest_starts")).toBe(1);
            await fillStable(warehouse, 4);
            await publish({ url, warehouse });
            await fillStable(warehouse, 5);
            await publish({ url, warehouse });
        });
        expect(await inService()).toEqual({ starts: 5, latest: 5 });
    });

    test("but rows that somebody changed in service are", () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse });
            await sql("update public.starts set prize = prize + 1 where race_id = 7");
            await publish({ url, warehouse });
            expect(await value("select max(prize) < 2 from public.starts where race_id = 0")).toBe(true);
            expect(await value("select max(id)::int from rebuild_meta.generation")).toBe(2);
        }));

    test("a column that holds values far more seldom is refused", () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 1);
            await publish({ url, warehouse });
            await warehouse.execute("update starts set speed = null where race_id > 20");
            await expect(publish({ url, warehouse })).rejects.toThrow(
                /Values have become rarer, by more than to 50.0 %, in: speed \(85\.\d % to 18\.\d %\)\..*"nulls"/,
            );
        }));
});

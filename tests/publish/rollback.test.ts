import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { listGenerations } from "../../runner/publish/list-generations.ts";
import { planPublish } from "../../runner/publish/plan-publish.ts";
import { rollback } from "../../runner/publish/rollback.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { compileModels, connectionTo, fillStable, publish, stable, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
let url: string;
beforeAll(async () => {
    database = await createDatabase("rollback");
    url = database.url;
    await sql(
        "do $$ begin if not exists (select from pg_roles where rolname = 'punter') then create role punter; end if; end $$",
    );
});
afterAll(async () => {
    await sql("drop owned by punter");
    await database.drop();
});
beforeEach(() =>
    sql(`drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_archive_2, rebuild_archive_3, rebuild_archive_4, rebuild_meta cascade;
         create schema public;`),
);

const sql = (text: string) => withClient({ url }, (client) => client.query(text));
const value = async (text: string) => Object.values((await sql(text)).rows[0] as object)[0];
const signal = new AbortController().signal;

const publishTimes = (
    count: number,
    keepGenerations: number,
    between?: (generation: number) => Promise<unknown>,
    first = 1,
) =>
    withMemoryWarehouse(async (warehouse) => {
        for (let generation = first; generation < first + count; generation++) {
            await fillStable(warehouse, generation, 500);
            await publish({ url, warehouse, settings: { keepGenerations } });
            await between?.(generation);
        }
    });

const rollBack = (to?: number, keepGenerations = 1) =>
    rollback({
        connection: connectionTo(url, { keepGenerations }),
        run: { id: "test", startedAt: new Date() },
        report: () => undefined,
        signal,
        ...(to !== undefined && { to }),
    });

test("a rollback puts the generation before back, views included, and can itself be rolled back", async () => {
    await publishTimes(2, 1);
    expect(await rollBack()).toMatchObject({ generation: 3, attempts: 1 });
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(1);
    expect(await value("select max(generation) from rebuild_archive.starts")).toBe(2);
    await sql("refresh materialized view concurrently public.latest_starts");
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(1);
    await rollBack();
    expect(await value("select max(generation) from public.starts")).toBe(2);
    await publishTimes(1, 1);
    expect(await value("select max(generation) from rebuild_archive.starts")).toBe(2);
});

test("a reader whose snapshot is older than a swap or a rollback sees one whole generation, not an empty one", async () => {
    await publishTimes(1, 1);
    const everything = `select count(*)::int > 0 as rows, max(generation) as starts,
        (select max(generation) from serving.form) as form, (select max(form_generation) from public.latest_starts) as latest
        from public.starts`;
    const withOldSnapshot = (work: () => Promise<unknown>) =>
        withClient({ url }, async (reader) => {
            await reader.query("begin isolation level repeatable read; select 1");
            await work();
            const { rows } = await reader.query(everything);
            await reader.query("commit");
            return rows[0];
        });
    expect(await withOldSnapshot(() => publishTimes(1, 1, undefined, 2))).toEqual({
        ...{ rows: true, starts: 2, form: 2, latest: 2 },
    });
    expect(await withOldSnapshot(() => rollBack())).toEqual({ rows: true, starts: 1, form: 1, latest: 1 });
});

test("a rollback keeps who may read now, not who could then", async () => {
    await publishTimes(2, 1, async (generation) => {
        if (generation === 1) {
            await sql(`grant select on public.starts to punter; create statistics public.pair on horse, race_id from public.starts;
                create publication feed for table public.starts`);
        }
    });
    await sql(`revoke select on public.starts from punter; grant select (horse) on public.current_form to punter;
        alter table public.starts enable row level security; create policy mine on public.starts for select to punter using (is_win)`);
    await rollBack();
    expect(await value("select has_table_privilege('punter', 'public.starts', 'select')")).toBe(false);
    expect(
        await value("select has_column_privilege('punter', 'public.current_form', 'horse', 'select')"),
    ).toBe(true);
    expect(
        await value(
            "select policyname || rowsecurity from pg_policies join pg_tables using (schemaname, tablename)",
        ),
    ).toBe("minetrue");
    expect(
        await value(
            "select stxnamespace::regnamespace::text from pg_statistic_ext where stxrelid = 'public.starts'::regclass",
        ),
    ).toBe("public");
    expect(
        await value("select string_agg(schemaname, ',') from pg_publication_tables where pubname = 'feed'"),
    ).toBe("public");
});

test("a rollback to a named generation goes back several swaps at once", async () => {
    await publishTimes(4, 3, async (generation) => {
        if (generation === 1) await sql("create statistics public.pair on horse, race_id from public.starts");
    });
    await rollBack(2, 3);
    expect(await value("select max(generation) from public.starts")).toBe(2);
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(2);
    expect(await value("select max(generation) from rebuild_archive.starts")).toBe(4);
    await expect(rollBack(17, 3)).rejects.toThrow(
        /nothing to roll back to generation 17: in service is generation 5/,
    );
});

test("without an earlier generation there is nothing to roll back to", async () => {
    await expect(rollBack()).rejects.toThrow("nothing was published yet");
    await publishTimes(1, 1);
    await expect(rollBack()).rejects.toThrow(/in service is generation 1\. No earlier generation is kept/);
    expect(await value("select max(generation) from public.starts")).toBe(1);
});

test("generations are listed newest first, with what they hold and where it lies", async () => {
    await publishTimes(2, 1);
    const generations = await listGenerations({ connection: connectionTo(url), signal });
    expect(generations.map(({ id, state, kind }) => [id, state, kind])).toEqual([
        [2, "live", "publish"],
        [1, "superseded", "publish"],
    ]);
    expect(generations[0]!.swapMilliseconds).toBeGreaterThan(0);
    expect(generations[1]!.objects.find(({ name }) => name === "starts")).toMatchObject({
        location: "rebuild_archive",
        replacedBy: 2,
        kind: "table",
        model: "starts",
    });
});

test("a plan shows every statement and changes nothing", async () => {
    await publishTimes(1, 1);
    const before = await value("select count(*)::int from pg_class");
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1, 500);
        await warehouse.execute("update starts set generation = 2");
        const compiled = compileModels(stable);
        const plan = await planPublish({
            connection: connectionTo(url),
            warehouse,
            compiled,
            names: new Set(["starts"]),
            run: { id: "test", startedAt: new Date() },
            signal,
        });
        expect(plan.objects.map(({ name, replaces }) => [name, replaces])).toContainEqual([
            "public.current_form",
            true,
        ]);
        expect(plan.objects.map(({ name, action }) => `${action} ${name}`)).toEqual([
            "replace public.starts",
            "replace public.latest_starts",
            "keep serving.form",
            "refresh public.current_form",
        ]);
        const text = plan.statements.join(";\n");
        expect(text).toContain('create table rebuild_build."starts"');
        expect(text).toContain(
            'alter materialized view "public"."latest_starts" set schema "rebuild_archive"',
        );
    });
    expect(await value("select count(*)::int from pg_class")).toBe(before);
    expect(await value("select max(id)::int from rebuild_meta.generation")).toBe(1);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { fillStable, type ModelSpec, publish, stable, withMemoryWarehouse } from "./world.ts";

/** Views whose rows may change though those that they read do not. */
const unfixed = Object.entries({
    clock: "extract(epoch from now())",
    chance: "random()",
    setting: "starts::text || current_setting('DateStyle')",
    own: "public.twice(starts::integer)",
}).map(
    ([name, expression]): ModelSpec => ({
        name,
        view: { sql: `select horse, ${expression} as asked from rebuild_build.form`, refs: ["form"] },
        publish: { indexes: [{ columns: ["horse"], unique: true }] },
    }),
);
/** Reads a view that is itself refreshed. */
const behind: ModelSpec = {
    name: "behind",
    view: { sql: "select horse, asked from rebuild_build.clock", refs: ["clock"] },
    publish: { indexes: [{ columns: ["horse"], unique: true }] },
};
const always = "behind chance clock own setting";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("filled");
    await sql("create function public.twice(int) returns int immutable language sql return $1 * 2");
    await publishSame();
    await sql(`create table public.refreshes (name text);
        create function public.note_refresh() returns event_trigger language plpgsql as $$ begin
            insert into public.refreshes select relname from pg_event_trigger_ddl_commands() join pg_class on oid = objid; end $$;
        create event trigger note_refresh on ddl_command_end when tag in ('REFRESH MATERIALIZED VIEW')
            execute function public.note_refresh()`);
});
afterAll(() => database.drop());

const sql = (text: string) => withClient({ url: database.url }, (client) => client.query(text));

const publishSame = () =>
    withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1, 300);
        return publish({ url: database.url, warehouse, models: [...stable, ...unfixed, behind] });
    });

/**
 * Publishes the same again, after something was done; returns which views that refreshed, but for those that always
 * are.
 */
async function refreshedAfter(between: string): Promise<string> {
    await sql(between);
    await sql("truncate public.refreshes");
    expect(await publishSame()).toMatchObject({ generation: 1, swapAttempts: 0 });
    const { rows } = await sql(
        `select string_agg(name, ' ' order by name) as names, (select count(*)::int from public.latest_starts where generation = 1) as latest
         from public.refreshes`,
    );
    expect(rows[0]!.latest).toBe(49);
    return rows[0]!.names as string;
}

test("a view is refreshed where it asks for more than rows, and where what it reads is", async () => {
    expect(await refreshedAfter("vacuum analyze public.latest_starts")).toBe(always);
});

test("a view is refreshed on the next day, for it may count the days", async () => {
    const yesterday = "replace(filling, current_date::text, (current_date - 1)::text)";
    expect(
        await refreshedAfter(
            `update rebuild_meta.object set filling = ${yesterday} where name = 'current_form'`,
        ),
    ).toBe("behind chance clock current_form own setting");
});

test("a view is refreshed where somebody refreshed it over other rows, though the rows are the old ones again", async () => {
    await sql("update public.starts set generation = 5");
    await sql("refresh materialized view concurrently public.latest_starts");
    expect(await refreshedAfter("update public.starts set generation = 1")).toBe(
        "behind chance clock latest_starts own setting",
    );
});

test("a view is refreshed where somebody emptied it, or nothing is known of the last time", async () => {
    await sql("refresh materialized view public.latest_starts with no data");
    expect(
        await refreshedAfter("update rebuild_meta.object set filling = null where name = 'current_form'"),
    ).toBe("behind chance clock current_form latest_starts own setting");
    expect(await refreshedAfter("select 1")).toBe(always);
});

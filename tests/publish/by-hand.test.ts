import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { type ModelSpec, publish, withMemoryWarehouse } from "./world.ts";

/**
 * Tables that were made by hand years ago, in every way that there is: kept as they are, or refused with the way out.
 */
let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("by hand");
    // Superusers may write labels and tablespaces into the catalog, as a provider and a disk would.
    await withClient({ url: database.url }, async (client) => {
        await client.query("set allow_in_place_tablespaces = on");
        await client.query("create tablespace fast location ''");
    });
    await sql("create access method pile type table handler heap_tableam_handler");
});
afterAll(async () => {
    await sql("drop schema if exists public, rebuild_build, rebuild_archive, rebuild_meta cascade");
    await sql("drop tablespace fast");
    await database.drop();
});
beforeEach(() =>
    sql(
        "drop schema if exists public, rebuild_build, rebuild_archive, rebuild_meta cascade; create schema public",
    ),
);

const sql = (text: string) => withClient({ url: database.url }, (client) => client.query(text));
const list = async (text: string) =>
    (await sql(text)).rows.map((row) => Object.values(row as object).join(" "));

const models: readonly ModelSpec[] = [
    { name: "orders", config: { grain: ["id"] }, publish: { primaryKey: ["id"] } },
    {
        name: "totals",
        view: {
            sql: "select customer, sum(amount) as amount from rebuild_build.orders group by customer",
            refs: ["orders"],
        },
        publish: { indexes: [{ columns: ["customer"], unique: true }] },
    },
];

/** Publishes orders onto what `byHand` made; returns the notes. */
async function publishOnto(
    byHand: string,
    { change = "", ...options }: Partial<Parameters<typeof publish>[0]> & { readonly change?: string } = {},
): Promise<readonly string[]> {
    await sql(byHand);
    const events: RunEvent[] = [];
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(`create table orders as
            select i as id, 'customer ' || i % 7 as customer, (i * 3)::integer as amount, 'note ' || i as note from range(50) r (i);
            ${change}`);
        await publish({ url: database.url, warehouse, models, events, ...options });
    });
    return events.flatMap((event) => (event.type === "note" ? [event.message] : []));
}

const columns = "id bigint, customer text, amount integer, note text";

test("tablespaces, targets of an index's expressions, and names of not null constraints are kept", async () => {
    await publishOnto(`create table public.orders (id bigint constraint numbered not null, customer text, amount integer, note text)
            tablespace fast;
        alter table public.orders add constraint orders_by_hand primary key (id) using index tablespace fast;
        create index by_note on public.orders (lower(note), customer) tablespace fast where amount > 3;
        alter index public.by_note alter column 1 set statistics 321;
        create index elsewhere on public.orders (customer);
        create materialized view public.totals using pile tablespace fast as
            select customer, sum(amount) as amount from public.orders group by customer;
        alter materialized view public.totals alter column customer set storage external;
        create unique index one_customer on public.totals (customer) tablespace fast`);
    expect(
        await list(`select class.relname, spcname, amname from pg_class as class join pg_tablespace as space on space.oid = class.reltablespace
            left join pg_am on pg_am.oid = relam where relnamespace = 'public'::regnamespace order by 1`),
    ).toEqual([
        "by_note fast btree",
        "one_customer fast btree",
        "orders fast heap",
        "orders_by_hand fast btree",
        "totals fast pile",
    ]);
    expect(
        await list(`select relname, attname, attstattarget from pg_attribute join pg_class on pg_class.oid = attrelid
            where relname = 'by_note' and relnamespace = 'public'::regnamespace and attstattarget >= 0`),
    ).toEqual(["by_note lower 321"]);
    expect(
        await list(
            "select attstorage from pg_attribute where attrelid = 'public.totals'::regclass and attname = 'customer'",
        ),
    ).toEqual(["e"]);
    const isNamed = Number((await list("show server_version_num"))[0]) >= 180_000;
    expect(
        await list(
            "select conname from pg_constraint where conrelid = 'public.orders'::regclass and contype = 'n'",
        ),
    ).toEqual(isNamed ? ["numbered"] : []);
    expect(await list("select count(*), sum(amount) from public.orders")).toEqual(["50 3675"]);
});

test("storage, compression, collation and defaults of columns are kept, and what a retyped one loses is told", async () => {
    const byHand = `create table public.orders (id bigint primary key, customer text collate "C" default 'nobody' not null, amount bigint default 7,
            note text);
        alter table public.orders alter note set storage external, alter note set compression pglz, alter customer set statistics 9`;
    await expect(publishOnto(byHand)).rejects.toThrow(
        /column "amount" would change from bigint to integer[\s\S]*"amount" would lose its default 7, which is of another type/,
    );
    const notes = await publishOnto("select 1", { overrides: new Set(["columns"]) });
    expect(notes.join("\n")).toMatch(/"amount" would change from bigint[\s\S]*lose its default 7/);
    expect(
        await list(`select attname, attstorage, attcompression, attnotnull, nullif(attstattarget, -1), collname, pg_get_expr(adbin, adrelid)
            from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum left join pg_collation on pg_collation.oid = attcollation
            where attrelid = 'public.orders'::regclass and attnum > 0 order by attnum`),
    ).toEqual([
        "id p  true   ",
        "customer x  true 9 C 'nobody'::text",
        "amount p  false   ",
        "note e p false  default ",
    ]);
});

test("a column that accepts no NULL in service and would have some is refused before any work, unless overridden", async () => {
    const byHand =
        "create table public.orders (id bigint primary key, customer text not null, amount integer not null, note text)";
    const change = "update orders set amount = null where id < 3";
    await expect(publishOnto(byHand, { change })).rejects.toThrow(
        /column "amount" accepts no NULL in service, and 3 rows of the model have one.*override "columns"/,
    );
    expect(await list("select nspname from pg_namespace where nspname ~ '^rebuild'")).toEqual([]);
    const notes = await publishOnto("select 1", { change, overrides: new Set(["columns"]) });
    expect(notes.join()).toMatch(/"amount" accepts no NULL in service/);
    expect(
        await list(
            "select attname from pg_attribute where attrelid = 'public.orders'::regclass and attnum > 0 and attnotnull",
        ),
    ).toEqual(["id", "customer"]);
});

test("an unlogged table and an index that is not valid are replaced, and both are told", async () => {
    const notes = await publishOnto(`create unlogged table public.orders (${columns});
        create index half_made on public.orders (note);
        update pg_index set indisvalid = false where indexrelid = 'public.half_made'::regclass`);
    expect(notes).toEqual([
        "public.orders is unlogged; the new one is logged, and outlives a crash of the server",
        "public.half_made is not valid, and not made anew",
    ]);
    expect(await list("select relpersistence from pg_class where oid = 'public.orders'::regclass")).toEqual([
        "p",
    ]);
});

test("names with quotes, spaces and words of SQL in them come through a publish and its carrying over", async () => {
    const name = 'Orders "of" USING x';
    const table = `public."Orders ""of"" USING x"`;
    const odd: readonly ModelSpec[] = [
        {
            name: "orders",
            config: { grain: ["id"] },
            publish: { name, primaryKey: ["id"], indexes: [{ columns: ['a "b" FROM'], unique: false }] },
        },
    ];
    const change = `alter table orders rename note to "a ""b"" FROM"; alter table orders rename amount to "select"`;
    await publishOnto("select 1", { models: odd, change });
    await sql(`create index "Odd ON Index" on ${table} (lower(customer)); create statistics public."Odd ON Stat" (ndistinct) on id, customer from ${table};
        create policy "A policy" on ${table} using (true); alter table ${table} add constraint "a ""check""" check ("select" >= 0)`);
    await publishOnto("select 1", { models: odd, change: `${change}; delete from orders where id = 7` });
    expect(await list(`select count(*) from ${table}`)).toEqual(["49"]);
    const kept = `select indexname from pg_indexes where schemaname = 'public' union all select stxname from pg_statistic_ext
        where stxnamespace = 'public'::regnamespace union all select policyname from pg_policies where schemaname = 'public' order by 1`;
    expect((await list(kept)).sort()).toEqual(
        ["A policy", "Odd ON Index", "Odd ON Stat", `${name}_a "b" FROM_idx`, `${name}_pkey`].sort(),
    );
});

test("a key that is not unique hinders no publish: rows that share one are not sampled", async () => {
    await publishOnto("select 1", { models: [{ name: "orders", config: { grain: ["customer"] } }] });
    expect(await list("select count(*) from public.orders")).toEqual(["50"]);
});

test("what lies in the archive without a record is told before any work, not by the swap", async () => {
    await publishOnto("select 1");
    await publishOnto("drop schema rebuild_meta cascade", { change: "delete from orders where id = 1" });
    await sql("drop schema rebuild_meta cascade");
    await expect(publishOnto("select 1", { change: "delete from orders where id = 2" })).rejects.toThrow(
        /rebuild_archive\.orders stands in the way, and no generation on record put it there: drop it/,
    );
});

test("indexes of one name in two schemas are told before any work: they would meet in the schema of the build", async () => {
    const apart = models.map((model) =>
        model.view ? { ...model, publish: { ...model.publish, schema: "rebuild_serving" } } : model,
    );
    try {
        await publishOnto("select 1", { models: apart });
        await sql(
            "create index mine on public.orders (note); create index mine on rebuild_serving.totals (amount)",
        );
        await expect(
            publishOnto("select 1", { models: apart, change: "delete from orders where id = 1" }),
        ).rejects.toThrow(
            /the name mine is used by public\.orders and by rebuild_serving\.totals.*rename it/,
        );
    } finally {
        await sql("drop schema rebuild_serving cascade");
    }
});

test("a publication of a column that would be gone is told before any work", async () => {
    const byHand = `create table public.orders (${columns}, extra integer);
        create publication parts for table public.orders (id, extra); create publication few for table public.orders where (extra > 0)`;
    try {
        await expect(publishOnto(byHand, { overrides: new Set(["columns"]) })).rejects.toThrow(
            /the publication few of public\.orders reads extra[\s\S]*the publication parts of public\.orders reads extra, which would be gone: change it first/,
        );
    } finally {
        await sql("drop publication parts; drop publication few");
    }
});

const refusals: readonly (readonly [what: string, byHand: string, message: RegExp])[] = [
    [
        "a security label on the table",
        `create table public.orders (${columns}); set allow_system_table_mods = on;
         insert into pg_seclabel values ('public.orders'::regclass, 'pg_class'::regclass, 0, 'guard', 'secret')`,
        /public\.orders has security labels of guard/,
    ],
    [
        "a security label on a column of a view",
        `create table public.orders (${columns}); create materialized view public.totals as select customer, sum(amount) as amount from public.orders group by 1;
         set allow_system_table_mods = on;
         insert into pg_seclabel values ('public.totals'::regclass, 'pg_class'::regclass, 1, 'guard', 'secret')`,
        /public\.totals has security labels of guard/,
    ],
    [
        "an access method of a table",
        `create table public.orders (${columns}) using pile`,
        /stored by the access method pile.*alter table public\.orders set access method heap;/,
    ],
    [
        "a typed table",
        `create type public.form as (${columns}); create table public.orders of public.form`,
        /table of a composite type: alter table public\.orders not of;/,
    ],
    [
        "a member of an extension",
        `create table public.orders (${columns}); alter extension plpgsql add table public.orders`,
        /belongs to the extension plpgsql: alter extension "plpgsql" drop table public\.orders;/,
    ],
    [
        "a sequence that a column owns without a default",
        `create table public.orders (${columns}); create sequence public.numbers owned by public.orders.id`,
        /the sequence public\.numbers is owned by the old table.*alter sequence public\.numbers owned by none;.*override "columns"/,
    ],
    [
        "a rule",
        `create table public.orders (${columns}); create rule quiet as on delete to public.orders do instead nothing`,
        /has the rule quiet/,
    ],
    [
        "an exclusion constraint",
        `create table public.orders (${columns}, exclude using hash (note with =))`,
        /has the exclusion constraint orders_note_excl/,
    ],
    [
        "a partition",
        `create table public.parts (${columns}) partition by list (id); create table public.orders partition of public.parts default`,
        /inherits from or to .*parts: detach it/,
    ],
    [
        "a partitioned table",
        `create table public.orders (${columns}) partition by list (id)`,
        /exists as a partitioned table/,
    ],
    ["a sequence", "create sequence public.orders", /exists as a sequence/],
    [
        "a foreign table",
        `create foreign data wrapper far; create server away foreign data wrapper far; create foreign table public.orders (${columns}) server away`,
        /exists as a foreign table/,
    ],
    [
        "a foreign key of its own",
        `create table public.customers (name text primary key); create table public.orders (id bigint, customer text references public.customers, amount integer, note text)`,
        /has the foreign key orders_customer_fkey.*drop constraint "orders_customer_fkey";/,
    ],
];

test.each(refusals)("%s is refused before any work, with the way out", async (_what, byHand, message) => {
    try {
        await expect(publishOnto(byHand)).rejects.toThrow(message);
        expect(await list("select nspname from pg_namespace where nspname ~ '^rebuild'")).toEqual([]);
    } finally {
        await sql("alter extension plpgsql drop table public.orders").catch(() => undefined);
        await sql("drop foreign data wrapper if exists far cascade");
    }
});

test("a tablespace that the publisher may not use is told before any work", async () => {
    await sql(`create role planter login password 'pwd of a test';
        do $$ begin execute format('grant create on database %I to planter', current_database()); end $$`);
    try {
        const url = new URL(database.url);
        url.username = "planter";
        url.password = "pwd of a test";
        const byHand = `grant usage, create on schema public to planter; create table public.orders (${columns}) tablespace fast;
            alter table public.orders owner to planter`;
        await expect(publishOnto(byHand, { url: url.href })).rejects.toThrow(
            /planter may not put anything into the tablespace fast: grant create on tablespace "fast" to "planter";/,
        );
    } finally {
        await sql("drop owned by planter; drop role planter");
    }
});

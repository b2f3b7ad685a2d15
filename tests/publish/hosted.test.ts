import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { resumePublish } from "../../runner/publish/resume.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { watchDdl } from "./rest-api.ts";
import { connectionTo, fillStable, publish, stable, withMemoryWarehouse } from "./world.ts";

/** A database as a hosting service sets it up: no superuser, roles of an API, an event trigger on DDL. */
let database: TestDatabase;
let url: string;
// Roles belong to the whole server, which other test files share.
const suffix = randomBytes(3).toString("hex");
const password = randomBytes(6).toString("hex");
const owner = `owner_${suffix}`;
const visitor = `visitor_${suffix}`;
const member = `member_${suffix}`;
const service = `service_${suffix}`;
const authenticator = `authenticator_${suffix}`;

beforeAll(async () => {
    database = await createDatabase("hosted");
    const asOwner = new URL(database.url);
    asOwner.username = owner;
    asOwner.password = password;
    url = asOwner.href;
    await admin(`
        create role ${owner} login password '${password}' createrole bypassrls;
        create role ${visitor} nologin; create role ${member} nologin; create role ${service} nologin bypassrls;
        create role ${authenticator} login noinherit password '${password}'; grant ${visitor}, ${member}, ${service} to ${authenticator};
        -- What a host sets, cuts a COPY and waits for locks otherwise.
        alter role ${owner} set statement_timeout = '250ms'; alter role ${owner} set lock_timeout = '10ms';
        alter role ${owner} set idle_in_transaction_session_timeout = '50ms';
        grant ${visitor}, ${member}, ${service} to ${owner};
        do $$ begin execute format('grant create on database %I to ${owner}', current_database()); end $$;
        alter schema public owner to ${owner};
        alter default privileges for role ${owner} in schema public grant all on tables to ${visitor}, ${member};
        grant usage on schema public to ${visitor}, ${member};
        ${watchDdl}`);
});
afterAll(async () => {
    await database.drop();
    await withClient({ url: serverOf(database.url) }, (client) =>
        client.query(
            `drop role ${owner}; drop role ${visitor}; drop role ${member}; drop role ${service}; drop role ${authenticator}`,
        ),
    );
});

function serverOf(text: string): string {
    const server = new URL(text);
    server.pathname = "/postgres";
    return server.href;
}

const admin = (sql: string) => withClient({ url: database.url }, (client) => client.query(sql));
const value = async (sql: string) => Object.values((await admin(sql)).rows[0] as object)[0];

test("a role without superuser rights publishes; API roles read what was declared and nothing else", async () => {
    const models = stable.map((model) =>
        model.name === "starts" ? { ...model, publish: { ...model.publish, grantSelect: [member] } } : model,
    );
    await withMemoryWarehouse(async (warehouse) => {
        for (const generation of [1, 2]) {
            await fillStable(warehouse, generation);
            await publish({ url, warehouse, models });
        }
    });
    expect(await value("select max(generation) from public.starts")).toBe(2);
    expect(
        await value(`select string_agg(relname, ',' order by relname) from pg_class where relkind in ('r', 'm')
        and relnamespace::regnamespace::text ~ '^(public|serving|rebuild)' and has_table_privilege('${visitor}', oid, 'select')`),
    ).toBeNull();
    expect(await value(`select has_table_privilege('${member}', 'public.starts', 'select')`)).toBe(true);
    expect(await value(`select has_table_privilege('${member}', 'public.starts', 'insert')`)).toBe(false);
});

test("a client of the REST API reads as its role may, whatever default privileges say", async () => {
    const readAs = async (role: string) => {
        const asAuthenticator = new URL(database.url);
        asAuthenticator.username = authenticator;
        asAuthenticator.password = password;
        return withClient({ url: asAuthenticator.href }, async (client) => {
            await client.query(`set role ${role}`);
            return (await client.query("select count(*)::int as rows from public.starts")).rows;
        });
    };
    await admin(`create publication realtime for table public.starts; alter publication realtime owner to ${owner};
        alter table public.starts enable row level security;
        create policy few on public.starts for select to ${member} using (race_id < 10)`);
    const defaults = {
        "as older projects have them": `alter default privileges for role ${owner} in schema public grant all on tables to ${visitor}, ${member}`,
        "as newer ones have them": `alter default privileges for role ${owner} in schema public revoke all on tables from ${visitor}, ${member}`,
    };
    let generation = 10;
    for (const change of Object.values(defaults)) {
        await admin(change);
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, ++generation);
            // So slow that every timeout of the role would strike.
            await publish({ url, warehouse, settings: { maxBytesPerSecond: 150_000 } });
        });
        expect(await value("select max(generation) from public.starts")).toBe(generation);
        expect(await readAs(member)).toEqual([{ rows: 98 }]);
        await expect(readAs(visitor)).rejects.toThrow(/permission denied/);
        expect(
            await value(
                "select tablename || (schemaname = 'public') from pg_publication_tables where pubname = 'realtime'",
            ),
        ).toBe("startstrue");
    }
});

test("a publish makes the REST API reload its schema at most twice", async () => {
    await withClient({ url: database.url }, async (listener) => {
        let reloads = 0;
        listener.driver.on("notification", ({ payload }) => {
            if (payload === "reload schema") reloads++;
        });
        await listener.query("listen pgrst");
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 30);
            await publish({ url, warehouse });
        });
        await listener.query("select 1");
        expect(reloads).toBeGreaterThan(0);
        expect(reloads).toBeLessThanOrEqual(2);
    });
});

test("tables and views made by hand in an older project stay as open and as closed as they are", async () => {
    await admin(`drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_meta cascade; drop publication if exists realtime;
        create schema public authorization ${owner}; grant usage on schema public to ${visitor}, ${member}, ${service};
        set role ${owner};
        alter default privileges in schema public grant all on tables to ${visitor}, ${member}, ${service};
        create table public.starts (horse text not null, race_id bigint not null, race_date date, speed real, generation integer,
            prize numeric(12,3), is_win boolean, starts_before integer, primary key (race_id, horse));
        insert into public.starts values ('an old horse', 1, '2020-01-01', 1, 0, 1, true, 1);
        revoke all on public.starts from ${visitor}; alter table public.starts enable row level security;
        create policy mine on public.starts for select to ${member} using (race_id < 10);
        create materialized view public.latest_starts as select horse, max(generation) as generation, count(*) as starts,
            max(generation) as form_generation from public.starts group by horse;
        create unique index on public.latest_starts (horse); revoke all on public.latest_starts from ${member};
        reset role; ${watchDdl}
        create publication realtime for table public.starts; alter publication realtime owner to ${owner}`);
    const rights = `select string_agg(concat_ws(' ', name, role, privilege), ', ' order by name, role, privilege)
        from unnest('{starts,latest_starts}'::text[]) as name, unnest('{${visitor},${member},${service}}'::text[]) as role,
            unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) as privilege
        where has_table_privilege(role, 'public.' || name, privilege)`;
    const before = await value(rights);
    expect(before).toContain(`latest_starts ${visitor} SELECT`);
    expect(before).not.toContain(`latest_starts ${member}`);
    const events: RunEvent[] = [];
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 50);
        const overrides = new Set(["row-count"] as const);
        await publish({ url, warehouse, models: stable, events, overrides });
    });
    expect(events).toContainEqual({
        ...{ type: "note", level: "warn" },
        message: "public.starts: the order of the columns changes, which `select *` shows",
    });
    expect(await value(rights)).toBe(before);
    expect(await value("select max(generation) from public.starts")).toBe(50);
    expect(
        await value(
            "select relowner::regrole::text from pg_class where oid = 'public.latest_starts'::regclass",
        ),
    ).toBe(owner);
    // What is new there has nobody's rights, although the default privileges would open it to everybody.
    expect(
        await value(`select string_agg(grantee, ',') from information_schema.role_table_grants
            where table_name in ('form', 'current_form') and grantee <> '${owner}'`),
    ).toBeNull();
    expect(
        await value(
            "select string_agg(policyname || roles::text, ',') from pg_policies where schemaname = 'public'",
        ),
    ).toBe(`mine{${member}}`);
    expect(
        await value(
            "select string_agg(tablename, ',') from pg_publication_tables where pubname = 'realtime'",
        ),
    ).toBe("starts");
});

test("missing rights are found before any work, each with the statement that gives them", async () => {
    await admin(
        `create schema closed; create table public.ours as select 1 as id; alter table public.ours owner to postgres`,
    );
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create table bets as select 1 as id; create table ours as select 1 as id");
        const publishing = publish({
            url,
            warehouse,
            models: [
                { name: "bets", publish: { schema: "closed", grantSelect: ["nobody_here"] } },
                { name: "ours" },
            ],
        });
        await expect(publishing).rejects.toThrow(
            new RegExp(
                `public.ours belongs to postgres, and ${owner} may not act for it: grant "postgres" to "${owner}"[^;]*;` +
                    `[^]*grant create, usage on schema "closed" to "${owner}";[^]*create role "nobody_here";`,
            ),
        );
    });
});

test("a build that did not get its locks can be swapped in later, alone", async () => {
    const run = { id: "test", startedAt: new Date() };
    const resume = () =>
        resumePublish({
            connection: connectionTo(url),
            run,
            report: () => undefined,
            signal: new AbortController().signal,
        });
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 40);
        await withClient({ url: database.url }, async (reader) => {
            await reader.query("begin; select count(*) from public.starts");
            await expect(publish({ url, warehouse, settings: { swapTimeoutSeconds: 0.3 } })).rejects.toThrow(
                /within 0.3 s/,
            );
            await reader.query("commit");
        });
    });
    expect(await resume()).toMatchObject({ attempts: 1 });
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(40);
    await expect(resume()).rejects.toThrow("There is no finished build that waits for its swap");
});

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extractSources } from "../../runner/extract/extract-sources.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import type { Project, Source } from "../../runner/project/project.ts";
import { planPublish } from "../../runner/publish/plan-publish.ts";
import { rollback } from "../../runner/publish/rollback.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { compileModels, connectionTo, fillStable, publish, stable, withMemoryWarehouse } from "./world.ts";

/** A database with the roles of docs/roles.sql; everything below is done as these roles. */
let database: TestDatabase;
let reader: string;
let publisher: string;

const asRole = (role: string) => {
    const url = new URL(database.url);
    url.username = role;
    url.password = "roles of a test";
    return url.href;
};
const admin = (sql: string) => withClient({ url: database.url }, (client) => client.query(sql));
const value = async (sql: string) => Object.values((await admin(sql)).rows[0] as object)[0];
const signal = new AbortController().signal;

beforeAll(async () => {
    database = await createDatabase("roles");
    reader = asRole("rebuild_reader");
    publisher = asRole("rebuild_publisher");
    const roles = await readFile(new URL("../../docs/roles.sql", import.meta.url), "utf8");
    await admin(`create table public.races (id bigint, track text); insert into public.races values (1, 'Sha Tin');
        create table public.race_results (id bigint); create table public.sectional_times (id bigint);
        create table public.accounts (secret text); ${roles};
        alter role rebuild_reader password 'roles of a test'; alter role rebuild_publisher password 'roles of a test';
        do $$ begin create role visitor_of_roles; exception when duplicate_object then null; end $$`);
});
afterAll(async () => {
    await admin(
        "drop owned by rebuild_reader, rebuild_publisher, visitor_of_roles cascade; drop role rebuild_reader, rebuild_publisher, visitor_of_roles",
    );
    await database.drop();
});

test("the reader extracts, and can neither write nor read anything else", async () => {
    const races = {
        ...{
            name: "races",
            identifier: "races",
            description: "",
            primaryKey: [],
            identity: [],
            known: "before",
        },
        file: "models/sources.yml",
        columns: ["id bigint", "track varchar"].map((column) => {
            const [name, type] = column.split(" ");
            return {
                name,
                type,
                optional: false,
                nullable: true,
                known: "before",
                knownBeforeValues: [],
                description: "",
            };
        }),
    } as unknown as Source;
    await withMemoryWarehouse(async (warehouse) => {
        const settings = { memoryLimit: "512MB", threads: 1, concurrency: 1, spillDirectory: "/tmp" };
        await extractSources({
            project: { sources: [races], target: { warehouse: settings } } as unknown as Project,
            connection: {
                type: "postgres",
                url: reader,
                schema: "public",
                connections: 2,
                timeBudgetSeconds: 60,
            },
            ...{ warehouse, signal, report: () => undefined },
        });
        expect(await warehouse.rows("select track from sources.races")).toEqual([{ track: "Sha Tin" }]);
    });
    const attempt = (sql: string) => withClient({ url: reader }, (client) => client.query(sql));
    await expect(attempt("select * from public.accounts")).rejects.toThrow(/permission denied/);
    await expect(attempt("set transaction_read_only = off; delete from public.races")).rejects.toThrow(
        /permission denied/,
    );
    await expect(attempt("create table public.mine (id int)")).rejects.toThrow(/read-only|permission denied/);
});

test("the publisher publishes, changes rows in place, plans and rolls back, and can read nothing else", async () => {
    const models = (mode: "swap" | "diff") =>
        stable.map((model) => ({
            ...model,
            publish: {
                ...model.publish,
                ...(model.name === "form" && { schema: "rebuild_serving" }),
                ...(model.name === "starts" && { grantSelect: ["visitor_of_roles"] }),
                ...(!model.view && { mode }),
            },
        }));
    const context = {
        connection: connectionTo(publisher),
        run: { id: "test", startedAt: new Date() },
        signal,
    };
    await withMemoryWarehouse(async (warehouse) => {
        for (const [generation, mode] of [
            [1, "swap"],
            [2, "swap"],
            [3, "diff"],
            [4, "diff"],
        ] as const) {
            await fillStable(warehouse, generation);
            await publish({ url: publisher, warehouse, models: models(mode) });
        }
        const compiled = compileModels(models("diff"));
        await fillStable(warehouse, 5);
        const plan = await planPublish({ ...context, warehouse, compiled, names: new Set(compiled.order) });
        expect(plan.objects.map(({ action }) => action)).toEqual([
            "change rows",
            "change rows",
            "refresh",
            "refresh",
        ]);
    });
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(4);
    await rollback({ ...context, report: () => undefined });
    expect(await value("select max(form_generation) from public.latest_starts")).toBe(3);
    expect(await value("select has_table_privilege('visitor_of_roles', 'public.starts', 'select')")).toBe(
        true,
    );
    expect(await value("select array_agg(mode order by id) from rebuild_meta.generation")).toEqual([
        "swap",
        "swap",
        "diff",
        "diff",
        "diff",
    ]);
    await expect(
        withClient({ url: publisher }, (client) => client.query("select * from public.accounts")),
    ).rejects.toThrow(/permission denied/);
});

test("what is in service and belongs to somebody else stays theirs, views and row security included", async () => {
    await admin(`create role owner_of_roles nologin bypassrls;
        grant owner_of_roles to rebuild_publisher; grant usage on schema public, rebuild_serving to owner_of_roles;
        alter table public.starts owner to owner_of_roles; alter table rebuild_serving.form owner to owner_of_roles;
        alter materialized view public.latest_starts owner to owner_of_roles;
        alter table public.starts enable row level security;
        create policy few on public.starts for select to visitor_of_roles using (race_id < 10)`);
    try {
        await withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 6);
            const models = stable.map((model) =>
                model.name === "form"
                    ? { ...model, publish: { ...model.publish, schema: "rebuild_serving" } }
                    : model,
            );
            await publish({ url: publisher, warehouse, models });
        });
        expect(
            await sqlList(`select relname || ' ' || relowner::regrole || ' ' || relrowsecurity from pg_class
                where relkind in ('r', 'm') and relname in ('starts', 'form', 'latest_starts', 'current_form')
                and relnamespace::regnamespace::text in ('public', 'rebuild_serving') order by 1`),
        ).toEqual([
            "current_form rebuild_publisher false",
            "form owner_of_roles false",
            "latest_starts owner_of_roles false",
            "starts owner_of_roles true",
        ]);
        expect(await value("select max(form_generation) from public.latest_starts")).toBe(6);
        expect(await value("select has_schema_privilege('visitor_of_roles', 'rebuild_build', 'usage')")).toBe(
            false,
        );
    } finally {
        await admin(
            "reassign owned by owner_of_roles to rebuild_publisher; drop owned by owner_of_roles; drop role owner_of_roles",
        );
    }
});

test("more archived generations than one need the right to create schemas, which is found before any work", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 7);
        const publishing = publish({ url: publisher, warehouse, settings: { keepGenerations: 2 } });
        await expect(publishing).rejects.toThrow(/may not create schemas.*grant create on database/);
    });
});

async function sqlList(sql: string): Promise<readonly unknown[]> {
    return (await admin(sql)).rows.map((row) => Object.values(row as object)[0]);
}

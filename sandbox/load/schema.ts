import { quoteName, quoteText } from "../../runner/names.ts";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import { type SourceTable, sourceTables } from "./tables.ts";

/** Where tables are filled before they take their place in `public`. */
export const loadingSchema = "sandbox_loading";

/** Roles as a hosted Postgres with an API has them, so that grants on published tables mean something. */
const apiRoles = ["anon", "authenticated", "service_role"];

export async function prepareDatabase(client: PostgresClient): Promise<void> {
    for (const role of apiRoles) {
        await client.query(`
            do $$ begin
                create role ${role} nologin;
            exception when duplicate_object or unique_violation then null;
            end $$`);
    }
    await client.query(`
        create schema if not exists sandbox;
        create table if not exists sandbox.world (
            is_only boolean primary key default true check (is_only),
            settings jsonb not null,
            loaded_at timestamptz not null default now()
        );
        comment on schema sandbox is 'What the source tables in public were filled with';`);
    await client.query(`grant usage on schema public to ${apiRoles.join(", ")}`);
}

/** One load at a time: all use the same schema. A session that dies lets go. */
export async function withLoadingLock<T>(
    { url, signal }: { readonly url: string; readonly signal?: AbortSignal | undefined },
    callback: (client: PostgresClient) => Promise<T>,
): Promise<T> {
    return withClient({ url, applicationName: "sandbox", ...(signal && { signal }) }, async (client) => {
        await client.query("select pg_advisory_lock(hashtext($1))", [loadingSchema]);
        return callback(client);
    });
}

/** Empty tables without constraints, in the loading schema. */
export async function createLoadingTables(client: PostgresClient): Promise<void> {
    await client.query(`drop schema if exists ${loadingSchema} cascade`);
    await client.query(`create schema ${loadingSchema}`);
    for (const { name, columns } of sourceTables) {
        const list = columns.map(([column, type]) => `${quoteName(column)} ${type}`).join(", ");
        await client.query(`create table ${loadingSchema}.${name} (${list})`);
    }
}

/** Constraints, indexes and statistics of one loaded table. Keys that others refer to come first: call in order. */
export async function completeTable(client: PostgresClient, table: SourceTable): Promise<void> {
    const name = `${loadingSchema}.${table.name}`;
    for (const constraint of table.constraints) {
        await client.query(
            `alter table ${name} ${constraint.replace("references ", `references ${loadingSchema}.`)}`,
        );
    }
    for (const columns of table.indexes) {
        await client.query(`create index on ${name} (${columns.map(quoteName).join(", ")})`);
    }
    await client.query(`analyze ${name}`);
}

/** The loaded tables take the place of the old ones, in one transaction with the record of what they are. */
export async function takePlace(
    client: PostgresClient,
    settings: Readonly<Record<string, unknown>>,
): Promise<void> {
    const names = sourceTables.map(({ name }) => name);
    await client.query(`
        begin;
        ${names
            .toReversed()
            .map((name) => `drop table if exists public.${name};`)
            .join("\n")}
        ${names.map((name) => `alter table ${loadingSchema}.${name} set schema public;`).join("\n")}
        drop schema ${loadingSchema};
        insert into sandbox.world (settings) values (${quoteText(JSON.stringify(settings))})
            on conflict (is_only) do update set settings = excluded.settings, loaded_at = now();
        commit;`);
}

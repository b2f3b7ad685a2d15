import type { PostgresClient } from "../postgres/connect.ts";
import { closeSchema } from "./close-schema.ts";
import { schemas } from "./schemas.ts";

/** The number of a generation is its fencing token: a swap refuses when a later number exists. */
const metaSql = `
create table if not exists ${schemas.meta}.generation (
    id bigint generated always as identity primary key,
    kind text not null default 'publish',
    run_id text not null,
    state text not null,
    started_at timestamptz not null default now(),
    swapped_at timestamptz,
    swap_milliseconds double precision,
    overrides text[] not null default '{}',
    problem text,
    plan jsonb
);
create table if not exists ${schemas.meta}.object (
    oid oid primary key,
    generation bigint references ${schemas.meta}.generation,
    schema text not null,
    name text not null,
    kind text not null,
    model text,
    rows bigint,
    bytes bigint,
    replaced_by bigint references ${schemas.meta}.generation
);
create table if not exists ${schemas.meta}.undo (
    id bigint generated always as identity primary key,
    generation bigint not null references ${schemas.meta}.generation,
    oid oid not null,
    change text not null,
    -- The row as it was; of an inserted one as it is.
    row_text text not null
);
create index if not exists undo_generation_oid on ${schemas.meta}.undo (generation, oid);`;

/**
 * Columns that came later, by table: a database that an earlier version published to gets them with the next publish.
 */
const laterColumns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    generation: {
        mode: "text not null default 'swap'",
        models: "text",
        source: "text",
        snapshot_at: "timestamptz",
        audit: "jsonb",
        // The latest run that found nothing changed.
        confirmed: "jsonb",
    },
    object: {
        // Hashes of the rows and of what the yml says, and of every column the number of its values.
        content: "text",
        definition: "text",
        value_counts: "jsonb",
        // Of a view what its latest refresh put into it.
        filling: "text",
    },
};

/** Makes the private schemas and what is missing in them; without DDL where nothing is. */
export async function ensurePrivateSchemas(client: PostgresClient): Promise<void> {
    const names = Object.values(schemas);
    const { rows } = await client.query<{ name: string }>(
        "select nspname as name from pg_catalog.pg_namespace where nspname = any ($1)",
        [names],
    );
    const known = new Set(rows.map(({ name }) => name));
    for (const name of names.filter((name) => !known.has(name))) await client.query(`create schema ${name}`);
    // What lies in these carries the grants of what is in service: the closed schema is what keeps it private.
    for (const name of [schemas.build, schemas.archive]) await client.query(closeSchema(name));
    if (!known.has(schemas.meta)) await client.query(closeSchema(schemas.meta));
    if (!(await hasMeta(client)) || (await lacks(client, "undo"))) await client.query(metaSql);
    await addLaterColumns(client);
}

export async function hasMeta(client: PostgresClient): Promise<boolean> {
    return !(await lacks(client, "object")) && !(await lacks(client, "generation"));
}

async function lacks(client: PostgresClient, table: string): Promise<boolean> {
    const { rows } = await client.query<{ missing: boolean }>("select to_regclass($1) is null as missing", [
        `${schemas.meta}.${table}`,
    ]);
    return rows[0]!.missing;
}

async function addLaterColumns(client: PostgresClient): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
        `select attrelid::regclass || '.' || attname as name from pg_catalog.pg_attribute
         where attrelid in ('${schemas.meta}.generation'::regclass, '${schemas.meta}.object'::regclass)
           and attnum > 0 and not attisdropped`,
    );
    const known = new Set(rows.map(({ name }) => name));
    for (const [table, columns] of Object.entries(laterColumns)) {
        const missing = Object.entries(columns).filter(
            ([column]) => !known.has(`${schemas.meta}.${table}.${column}`),
        );
        if (missing.length === 0) continue;
        const additions = missing.map(([column, type]) => `add column if not exists ${column} ${type}`);
        await client.query(`alter table ${schemas.meta}.${table} ${additions.join(", ")}`);
    }
}

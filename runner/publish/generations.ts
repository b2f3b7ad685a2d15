import type { PostgresClient } from "../postgres/connect.ts";
import { closeSchema } from "./close-schema.ts";
import { schemas } from "./schemas.ts";

type GenerationState = "building" | "built" | "live" | "superseded" | "failed";

/** One publish or rollback, as rebuild_meta records it. */
export interface Generation {
    readonly id: number;
    readonly kind: "publish" | "rollback";
    readonly runId: string;
    readonly state: GenerationState;
    readonly startedAt: string;
    readonly swappedAt: string | null;
    /** Milliseconds that readers could have waited for the swap. */
    readonly swapMilliseconds: number | null;
    readonly overrides: readonly string[];
    readonly objects: readonly GenerationObject[];
}

interface GenerationObject {
    readonly schema: string;
    readonly name: string;
    readonly kind: "table" | "view";
    readonly model: string | null;
    readonly rows: number | null;
    readonly bytes: number | null;
    /** Where it lies now; null: dropped. */
    readonly location: string | null;
    /** The generation whose swap took it out of service; null: none yet. */
    readonly replacedBy: number | null;
}

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
);`;

/** Makes the private schemas where they are missing; without DDL where they are there. */
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
    if (!(await hasMeta(client))) await client.query(metaSql);
}

export async function hasMeta(client: PostgresClient): Promise<boolean> {
    const { rows } = await client.query<{ found: boolean }>(
        `select to_regclass('${schemas.meta}.object') is not null and to_regclass('${schemas.meta}.generation') is not null as found`,
    );
    return rows[0]!.found;
}

export async function openGeneration(
    client: PostgresClient,
    kind: Generation["kind"],
    runId: string,
    overrides: readonly string[],
): Promise<number> {
    const { rows } = await client.query<{ id: number }>(
        `insert into ${schemas.meta}.generation (kind, run_id, state, overrides) values ($1, $2, 'building', $3)
         returning id::int as id`,
        [kind, runId, overrides],
    );
    return rows[0]!.id;
}

export async function failGeneration(client: PostgresClient, id: number, problem: string): Promise<void> {
    await client.query(
        `update ${schemas.meta}.generation set state = 'failed', problem = $2 where id = $1 and state = 'building'`,
        [id, problem],
    );
}

/** Newest first. */
export async function readGenerations(client: PostgresClient): Promise<readonly Generation[]> {
    if (!(await hasMeta(client))) return [];
    const { rows } = await client.query<{ generation: Generation }>(`
        select json_build_object(
            'id', generation.id, 'kind', generation.kind, 'runId', generation.run_id, 'state', generation.state,
            'startedAt', generation.started_at, 'swappedAt', generation.swapped_at,
            'swapMilliseconds', generation.swap_milliseconds, 'overrides', generation.overrides,
            'objects', coalesce((
                select json_agg(json_build_object(
                    'schema', object.schema, 'name', object.name, 'kind', object.kind, 'model', object.model,
                    'rows', object.rows, 'bytes', object.bytes, 'replacedBy', object.replaced_by,
                    'location', space.nspname) order by object.schema, object.name)
                from ${schemas.meta}.object as object
                left join pg_catalog.pg_class as class on class.oid = object.oid and class.relname = object.name
                left join pg_catalog.pg_namespace as space on space.oid = class.relnamespace
                where object.generation = generation.id), '[]'::json)
        ) as generation
        from ${schemas.meta}.generation as generation
        order by generation.id desc`);
    return rows.map(({ generation }) => generation);
}

export interface ArchivedObject {
    readonly oid: number;
    readonly schema: string;
    readonly name: string;
    readonly kind: "table" | "view";
    readonly model: string | null;
    readonly rows: number | null;
    /** The private schema that holds it. */
    readonly location: string;
    readonly replacedBy: number;
    /** Extended statistics lie in a schema of their own choice and must be moved by name. */
    readonly statistics: readonly string[];
}

/** What earlier swaps took out of service and is still there; the latest swap's first. */
export async function readArchived(client: PostgresClient): Promise<readonly ArchivedObject[]> {
    const { rows } = await client.query<ArchivedObject>(`
        select object.oid::int8::float8 as oid, object.schema, object.name, object.kind,
               object.model, object.rows::float8 as rows, space.nspname as location, object.replaced_by::int as "replacedBy",
               array(select stxname::text from pg_catalog.pg_statistic_ext
                     where stxrelid = object.oid and stxnamespace = class.relnamespace) as statistics
        from ${schemas.meta}.object as object
        join pg_catalog.pg_class as class on class.oid = object.oid and class.relname = object.name
        join pg_catalog.pg_namespace as space on space.oid = class.relnamespace
        where object.replaced_by is not null
          and (space.nspname = '${schemas.archive}' or space.nspname like '${schemas.archive}\\_%')
        order by object.replaced_by desc, object.kind desc, object.name`);
    return rows;
}

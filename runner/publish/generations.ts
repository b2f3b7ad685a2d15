import type { PostgresClient } from "../postgres/connect.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { hasMeta } from "./meta.ts";
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
    /** `diff`: rows were changed in place. */
    readonly mode: "swap" | "diff";
    readonly overrides: readonly string[];
    /** Hash of the compiled models that it was made by, those that they read included; null: not recorded. */
    readonly models: string | null;
    /** Hash of the source tables' rows; null: not recorded. */
    readonly source: string | null;
    /** When the source tables were read. */
    readonly snapshotAt: string | null;
    /**
     * What was replayed before it was published, as target/run_results.json has it, or before a later run found it
     * unchanged; null: not recorded.
     */
    readonly audit: object | null;
    /** The latest run that would have published the very same, and did nothing; null: none. */
    readonly confirmed: Confirmation | null;
    readonly objects: readonly GenerationObject[];
}

interface Confirmation {
    readonly runId: string;
    readonly at: string;
    readonly models: string;
    readonly source: string | null;
    readonly snapshotAt: string | null;
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

export interface NewGeneration {
    readonly kind: Generation["kind"];
    readonly runId: string;
    readonly mode?: Generation["mode"];
    readonly overrides?: readonly string[];
    readonly fingerprints?: Fingerprints;
}

export async function openGeneration(
    client: PostgresClient,
    { kind, runId, mode = "swap", overrides = [], fingerprints }: NewGeneration,
): Promise<number> {
    const { rows } = await client.query<{ id: number }>(
        `insert into ${schemas.meta}.generation (kind, run_id, state, mode, overrides, models, source, snapshot_at, audit)
         values ($1, $2, 'building', $3, $4, $5, $6, $7, $8) returning id::int as id`,
        [
            kind,
            runId,
            mode,
            overrides,
            fingerprints?.models ?? null,
            fingerprints?.source ?? null,
            fingerprints?.snapshotAt?.toISOString() ?? null,
            fingerprints?.audit ?? null,
        ],
    );
    return rows[0]!.id;
}

export async function failGeneration(client: PostgresClient, id: number, problem: string): Promise<void> {
    await client.query(
        `update ${schemas.meta}.generation set state = 'failed', problem = $2 where id = $1
         and (state = 'building' or state = 'built' and mode = 'diff')`,
        [id, problem],
    );
}

/** A run that found nothing changed: its audit is of the rows in service too, and the latest there is. */
export async function confirmGeneration(
    client: PostgresClient,
    id: number,
    runId: string,
    { models, source, snapshotAt, audit }: Fingerprints,
): Promise<void> {
    const confirmation = { runId, models, source: source ?? null, snapshotAt: snapshotAt ?? null };
    await client.query(
        `update ${schemas.meta}.generation set audit = coalesce($2::jsonb, audit),
                confirmed = $3::jsonb || jsonb_build_object('at', clock_timestamp()) where id = $1`,
        [id, audit ?? null, JSON.stringify(confirmation)],
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
            -- Read by way of JSON: a database of an earlier version lacks the columns until the next publish.
            'mode', coalesce(to_jsonb(generation) ->> 'mode', 'swap'), 'models', to_jsonb(generation) ->> 'models',
            'source', to_jsonb(generation) ->> 'source', 'snapshotAt', to_jsonb(generation) -> 'snapshot_at',
            'audit', to_jsonb(generation) -> 'audit', 'confirmed', to_jsonb(generation) -> 'confirmed',
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

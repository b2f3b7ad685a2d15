import { advisoryHoldersSql } from "../postgres/advisory-lock.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import type { SeenRun } from "./seen-run.ts";
import { isEnded, runStates, type StatusRow, silenceSeconds } from "./status-row.ts";

/** Always here: what watches runs does not know the target's schemas. */
const table = "public.rebuild_status";

const quoted = (states: readonly string[]) => states.map((state) => `'${state}'`).join(", ");
const endedStates = quoted(runStates.filter(isEnded));

/**
 * In one transaction, so that the table is never there without row security: on hosted servers default privileges
 * open a new table of public to everybody. Without a policy only the owner reads it, and roles that bypass row
 * security, which the REST API's service role does.
 */
const createSql = `
begin;
set local lock_timeout = '2s';
create table ${table} (
    id bigint generated always as identity primary key,
    run_id text not null unique,
    status text not null check (status in (${quoted(runStates)})),
    phase text not null,
    phase_number integer not null,
    total_phases integer not null,
    message text not null default '',
    rows_processed bigint not null default 0,
    error_message text,
    duration_seconds double precision not null default 0,
    triggered_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    completed_at timestamptz
);
alter table ${table} enable row level security;
revoke all on table ${table} from public;
do $$
declare one text;
begin
    for one in select rolname from pg_catalog.pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table ${table} from %I', one);
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant select, insert, update on table ${table} to service_role;
    end if;
end $$;
comment on table ${table} is 'Runs of rebuild, one row each; updated_at is the heartbeat.';
commit`;

/** Makes the table where it is missing; without DDL where it is there. */
export async function ensureStatusTable(client: PostgresClient): Promise<void> {
    if (await hasTable(client)) return;
    try {
        await client.query(createSql);
    } catch (error) {
        await client.query("rollback").catch(() => undefined);
        // Another run may have made it meanwhile.
        if (!(await hasTable(client))) throw error;
    }
}

async function hasTable(client: PostgresClient): Promise<boolean> {
    const { rows } = await client.query<{ found: boolean }>(
        `select to_regclass('${table}') is not null as found`,
    );
    return rows[0]!.found;
}

/** The row as it is now; the heartbeat is the server's clock. A table of older make needs no unique run_id. */
export async function writeStatus(client: PostgresClient, row: StatusRow): Promise<void> {
    const values = [
        row.runId,
        row.status,
        row.phase,
        row.phaseNumber,
        row.totalPhases,
        row.message,
        Math.round(row.rowsProcessed),
        row.errorMessage,
        row.durationSeconds,
        row.triggeredBy,
        row.createdAt,
        row.completedAt,
    ];
    const { rowCount } = await client.query(
        `update ${table} set status = $2, phase = $3, phase_number = $4, total_phases = $5, message = $6,
            rows_processed = $7, error_message = $8, duration_seconds = $9, triggered_by = $10, created_at = $11,
            completed_at = $12, updated_at = now()
        where run_id = $1`,
        values,
    );
    if (rowCount > 0) return;
    await client.query(
        `insert into ${table} (run_id, status, phase, phase_number, total_phases, message, rows_processed,
            error_message, duration_seconds, triggered_by, created_at, completed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
        values,
    );
}

/** Ends rows of runs that are silent and hold no lock: their processes are gone. Returns their ids. */
export async function failDeadRuns(client: PostgresClient, runId: string): Promise<readonly string[]> {
    const { rows } = await client.query<{ run_id: string }>(
        `update ${table} set status = 'failed', completed_at = now(),
            error_message = 'died without a word: last heard of at ' || to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')
                || ', lock no longer held; found by run ' || $1::text
        where run_id <> $1 and status not in (${endedStates})
            and updated_at < now() - interval '${silenceSeconds} seconds'
            and not exists (${advisoryHoldersSql("application_name is distinct from 'rebuild lock ' || $1::text")})
        returning run_id`,
        [runId],
    );
    return rows.map((row) => row.run_id);
}

/** Newest first; undefined: there is no table yet. */
export async function readStatus(
    client: PostgresClient,
    limit: number,
): Promise<readonly SeenRun[] | undefined> {
    if (!(await hasTable(client))) return undefined;
    const { rows } = await client.query<{ row: SeenRun }>(
        `select json_build_object(
            'runId', run_id, 'status', status, 'phase', phase, 'phaseNumber', phase_number,
            'totalPhases', total_phases, 'message', message, 'rowsProcessed', rows_processed,
            'errorMessage', error_message, 'durationSeconds', duration_seconds, 'triggeredBy', triggered_by,
            'createdAt', created_at, 'updatedAt', updated_at, 'completedAt', completed_at,
            'isSilent', status not in (${endedStates}) and updated_at < now() - interval '${silenceSeconds} seconds'
        ) as row
        from ${table} order by created_at desc, run_id desc limit $1`,
        [limit],
    );
    return rows.map(({ row }) => row);
}

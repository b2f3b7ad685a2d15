import { quoteText } from "../names.ts";
import { scrub } from "../secrets.ts";
import type { Warehouse } from "./types.ts";

/** What a warehouse says of the run that made it. */
export interface WarehouseMetadata {
    readonly runId: string;
    readonly startedAt: Date;
    /** When the sources in it were read; absent: nothing was extracted yet. */
    readonly snapshotAt?: Date;
    /** Where they came from; passwords are scrubbed. */
    readonly source: string;
    /** Of the models' compiled SQL. */
    readonly fingerprint?: string;
}

const table = "rebuild_meta.run";

export async function writeMetadata(warehouse: Warehouse, metadata: WarehouseMetadata): Promise<void> {
    const { runId, startedAt, snapshotAt, source, fingerprint } = metadata;
    const time = (value: Date | undefined) =>
        value ? `${quoteText(value.toISOString())}::timestamptz` : "null::timestamptz";
    await warehouse.executeAll([
        "create schema if not exists rebuild_meta",
        `create or replace table ${table} as
        select
            ${quoteText(runId)} as run_id,
            ${time(startedAt)} as started_at,
            ${time(snapshotAt)} as snapshot_at,
            ${quoteText(scrub(source))} as source,
            ${fingerprint === undefined ? "null::varchar" : quoteText(fingerprint)} as fingerprint`,
    ]);
}

/** Absent: the file was not made by a run, or its run died before it said anything. */
export async function readMetadata(warehouse: Warehouse): Promise<WarehouseMetadata | undefined> {
    const found = await warehouse.rows(`
        select 1 from information_schema.tables
        where table_catalog = current_database() and table_schema = 'rebuild_meta' and table_name = 'run'`);
    if (found.length === 0) return undefined;
    const [row] = await warehouse.rows(`
        select run_id, epoch_ms(started_at) as started_at, epoch_ms(snapshot_at) as snapshot_at, source, fingerprint
        from ${table}`);
    if (!row) return undefined;
    return {
        runId: String(row.run_id),
        startedAt: new Date(Number(row.started_at)),
        ...(row.snapshot_at === null ? {} : { snapshotAt: new Date(Number(row.snapshot_at)) }),
        source: String(row.source),
        ...(row.fingerprint === null ? {} : { fingerprint: String(row.fingerprint) }),
    };
}

/** What became of the audit of the models in the warehouse, as JSON; absent: there was none. */
export async function writeAuditSummary(warehouse: Warehouse, summary: object | undefined): Promise<void> {
    const text = summary === undefined ? "null::varchar" : quoteText(scrub(JSON.stringify(summary)));
    await warehouse.execute(`create or replace table rebuild_meta.audit as select ${text} as summary`);
}

export async function readAuditSummary(warehouse: Warehouse): Promise<string | undefined> {
    const found = await warehouse.rows(`
        select 1 from information_schema.tables
        where table_catalog = current_database() and table_schema = 'rebuild_meta' and table_name = 'audit'`);
    if (found.length === 0) return undefined;
    const [row] = await warehouse.rows("select summary from rebuild_meta.audit");
    return row?.summary === null || row === undefined ? undefined : String(row.summary);
}

import { quoteName, quoteText } from "../names.ts";
import { type AdvisoryLock, holdsLockSql } from "../postgres/advisory-lock.ts";
import { closeSchemaBlock } from "./close-schema.ts";
import { dropStatements } from "./drop-old.ts";
import { fingerprintSql } from "./fingerprint-sql.ts";
import type { ArchivedObject } from "./generations.ts";
import { refusedState } from "./refused.ts";
import { olderArchive, schemas } from "./schemas.ts";
import type { SwapObject, SwapPlan, SwapSide } from "./swap-plan.ts";
import { compareReaders, rememberReaders } from "./swap-readers.ts";

/** Waiting for a lock holds up every reader that comes after: so long may one wait of ours take. */
const lockTimeout = "20ms";
/**
 * For locks that hold up nobody. Autovacuum yields to whoever has waited for `deadlock_timeout`, one second:
 * a swap that never waits so long would be kept out until autovacuum is done.
 */
const patientLockTimeout = "3s";

/**
 * The swap as one statement: it happens whole or not at all, without a round trip between its parts, and
 * when its client dies in the middle no lock outlives the statement.
 */
export function swapBlock(plan: SwapPlan, lock: Pick<AdvisoryLock, "processId" | "key">): string {
    const objects = [...plan.objects].sort(
        (one, other) => compareText(one.schema, other.schema) || compareText(one.name, other.name),
    );
    const tables = objects.filter(({ kind }) => kind === "table");
    const views = objects.filter(({ kind }) => kind === "view");
    const archivedTables = plan.archived.filter(({ kind }) => kind === "table");
    // What concerns nothing that is read, before anything that is read is locked.
    const aside = [
        ...objects.map(checkIncoming),
        ...objects.flatMap(rememberReaders),
        ...recordObjects(plan),
        ...lockAtOnce(archivedTables.map(({ location, name }) => relation(location, name))),
        // A rollback comes out of the archive: out of the way first, for the names in there are wanted.
        ...objects
            .filter(({ incoming }) => incoming.location !== schemas.build)
            .map((object) => move(object, object.incoming.location, schemas.build)),
        ...vacateArchive(plan),
    ];
    const statements = [
        ...lockAtOnce(liveTables(tables)),
        ...objects.map(checkOutgoing),
        // Views first: each waits for its lock, and the less is done by then the cheaper is a retry.
        ...[...views, ...tables]
            .filter(({ outgoing }) => outgoing)
            .map((object) => move(object, object.schema, schemas.archive)),
        ...[...views, ...tables].map((object) => move(object, schemas.build, object.schema)),
        ...objects.flatMap(({ afterwards }) => afterwards),
        ...objects.flatMap(compareReaders),
        ...putInService(plan.generation),
    ];
    const lines = (list: readonly string[]) => list.map((statement) => `${statement};`).join("\n    ");
    const body = `
declare
    started timestamptz;
    unused text;
    readers jsonb[];
    facts jsonb;
begin
    perform set_config('lock_timeout', '${patientLockTimeout}', true);
    ${fence(plan, lock)}
    ${lines(lockAside(tables, views, plan))}
    perform set_config('lock_timeout', '${lockTimeout}', true);
    ${lines(aside)}
    started := clock_timestamp();
    ${lines(statements)}
    update ${schemas.meta}.generation
    set swap_milliseconds = extract(epoch from clock_timestamp() - started) * 1000 where id = ${plan.generation};
    perform pg_notify('pgrst', 'reload schema');
end`;
    const quote = dollarQuote(body);
    return `do ${quote}${body} ${quote}`;
}

/** A worker that lost its lock, or was overtaken by a later generation, cannot swap. */
export function fence(
    { generation }: Pick<SwapPlan, "generation">,
    lock: Pick<AdvisoryLock, "processId" | "key">,
): string {
    return `
    perform from ${schemas.meta}.generation where id = ${generation} and state = 'built' for update nowait;
    if not found or exists (select from ${schemas.meta}.generation where id > ${generation}) then
        raise exception 'a later run has taken over from generation ${generation}' using errcode = '${refusedState}';
    end if;
    if not ${holdsLockSql(lock)} then
        raise exception 'the connection that held the lock of this run is gone' using errcode = '${refusedState}';
    end if;`;
}

/** Keeps autovacuum and other swaps out of everything, before any reader is held up. */
function lockAside(
    tables: readonly SwapObject[],
    views: readonly SwapObject[],
    plan: SwapPlan,
): readonly string[] {
    const built = tables.map(({ name, incoming }) => relation(incoming.location, name));
    const live = [
        ...liveTables(tables),
        ...plan.archived
            .filter(({ kind }) => kind === "table")
            .map(({ location, name }) => relation(location, name)),
    ];
    return [
        ...(built.length > 0 ? [`lock table ${built.join(", ")} in access exclusive mode`] : []),
        ...(live.length > 0 ? [`lock table ${live.join(", ")} in share update exclusive mode`] : []),
        ...views.flatMap(({ name, schema, incoming, outgoing }) => [
            ...lockView(incoming, relation(incoming.location, name)),
            ...(outgoing ? lockView(outgoing, relation(schema, name)) : []),
        ]),
    ];
}

/** Options of no importance; a view hardly has them all. */
const options = ["log_autovacuum_min_duration", "autovacuum_vacuum_cost_delay", "autovacuum_freeze_max_age"];

/** `lock table` refuses materialized views; to reset an option that is not set takes the lock and changes nothing. */
function lockView({ oid }: SwapSide, name: string): readonly string[] {
    return [
        `select option into unused from unnest('{${options.join()}}'::text[]) as option
    where not exists (select from pg_catalog.pg_class, unnest(reloptions) as setting where oid = ${oid} and setting like option || '=%') limit 1`,
        `if unused is not null then execute ${quoteText(`alter materialized view ${name} reset (`)} || unused || ')'; end if`,
    ];
}

function lockAtOnce(names: readonly string[]): readonly string[] {
    return names.length > 0 ? [`lock table ${names.join(", ")} in access exclusive mode nowait`] : [];
}

function liveTables(tables: readonly SwapObject[]): readonly string[] {
    return tables.filter(({ outgoing }) => outgoing).map(({ schema, name }) => relation(schema, name));
}

/** What was planned from must still be what is there. */
function checkIncoming({ name, incoming }: SwapObject): string {
    return checkSide(incoming, relation(incoming.location, name), `the build ${incoming.location}.${name}`);
}

function checkOutgoing({ schema, name, outgoing }: SwapObject): string {
    const live = relation(schema, name);
    if (outgoing) return checkSide(outgoing, live, `the object in service ${schema}.${name}`);
    return `if to_regclass(${quoteText(live)}) is not null then
        raise exception '%', ${quoteText(`${schema}.${name} was created by somebody meanwhile; run again`)} using errcode = '${refusedState}';
    end if`;
}

function checkSide({ oid, fingerprint }: SwapSide, place: string, what: string): string {
    return `if to_regclass(${quoteText(place)})::oid is distinct from ${oid}::oid
            or ${fingerprintSql(String(oid))} is distinct from '${fingerprint}' then
        raise exception '%', ${quoteText(`${what} was changed by somebody since it was looked at; run again`)} using errcode = '${refusedState}';
    end if`;
}

function vacateArchive({ archived }: SwapPlan): readonly string[] {
    const dropped = archived.filter(({ drop }) => drop);
    const moved = archived.filter(({ drop }) => !drop);
    const rooms = [...new Set(moved.map(({ replacedBy }) => olderArchive(replacedBy)))];
    const emptied = [...new Set(dropped.map(({ location }) => location))].filter(
        (name) => name !== schemas.archive,
    );
    return [
        ...dropStatements(dropped.map((object) => ({ ...object, schema: object.location }))),
        ...emptied.map((name) => `drop schema ${quoteName(name)}`),
        ...(dropped.length > 0
            ? [
                  `delete from ${schemas.meta}.object where oid in (${dropped.map(({ oid }) => oid).join(", ")})`,
              ]
            : []),
        ...rooms.flatMap((room) => [
            `create schema if not exists ${quoteName(room)}`,
            closeSchemaBlock(room).trim(),
        ]),
        ...moved.flatMap((object) => moveArchived(object, olderArchive(object.replacedBy))),
    ];
}

function moveArchived(object: ArchivedObject, to: string): readonly string[] {
    return [
        move(object, object.location, to),
        ...object.statistics.map(
            (name) => `alter statistics ${relation(object.location, name)} set schema ${quoteName(to)}`,
        ),
    ];
}

function move({ kind, name }: Pick<SwapObject, "kind" | "name">, from: string, to: string): string {
    return `alter ${kind === "table" ? "table" : "materialized view"} ${relation(from, name)} set schema ${quoteName(to)}`;
}

function recordObjects({ generation, objects }: SwapPlan): readonly string[] {
    const { meta } = schemas;
    const replaced = objects.filter(({ outgoing }) => outgoing);
    return [
        ...replaced.map(
            ({ schema, name, kind, outgoing }) =>
                `insert into ${meta}.object (oid, schema, name, kind, replaced_by)
        values (${outgoing!.oid}, ${quoteText(schema)}, ${quoteText(name)}, '${kind}', ${generation})
        on conflict (oid) do update set replaced_by = excluded.replaced_by`,
        ),
        ...objects.map(
            ({ schema, name, kind, model, rows, incoming, content, definition, valueCounts }) =>
                `insert into ${meta}.object (oid, generation, schema, name, kind, model, rows, bytes, content, definition, value_counts)
        values (${incoming.oid}, ${generation}, ${quoteText(schema)}, ${quoteText(name)}, '${kind}',
                ${textOrNull(model)}, ${rows ?? "null"}, pg_total_relation_size(${incoming.oid}), ${textOrNull(content)},
                ${textOrNull(definition)}, ${textOrNull(valueCounts && JSON.stringify(valueCounts))})
        on conflict (oid) do update set replaced_by = null, generation = excluded.generation`,
        ),
    ];
}

/** The generation is in service, and those before it that have nothing in service any more are not. */
export function putInService(generation: number): readonly string[] {
    const { meta } = schemas;
    return [
        `update ${meta}.generation set state = 'superseded' where state = 'live'
        and not exists (select from ${meta}.object where object.generation = generation.id and replaced_by is null)`,
        `update ${meta}.generation set state = 'live', swapped_at = clock_timestamp() where id = ${generation}`,
    ];
}

function textOrNull(text: string | null): string {
    return text === null ? "null" : quoteText(text);
}

function relation(schema: string, name: string): string {
    return `${quoteName(schema)}.${quoteName(name)}`;
}

function dollarQuote(body: string): string {
    let quote = "$rebuild$";
    for (let turn = 1; body.includes(quote); turn++) quote = `$rebuild${turn}$`;
    return quote;
}

function compareText(one: string, other: string): number {
    return one < other ? -1 : one > other ? 1 : 0;
}

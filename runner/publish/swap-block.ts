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

/** Where nobody in service waits behind us. */
const lockTimeout = "20ms";
/**
 * For locks that hold up nobody. Autovacuum yields to whoever has waited for `deadlock_timeout`, one second:
 * a swap that never waits so long would be kept out until autovacuum is done.
 */
const patientLockTimeout = "3s";

/** Waiting for a lock holds up every reader that comes after: so long may all waits of one attempt take together. */
export const longestPatienceMs = 20;

/**
 * The swap as one statement: it happens whole or not at all, without a round trip between its parts, and
 * when its client dies in the middle no lock outlives the statement.
 */
export function swapBlock(
    plan: SwapPlan,
    lock: Pick<AdvisoryLock, "processId" | "key">,
    patienceMs = longestPatienceMs,
): string {
    const objects = [...plan.objects].sort(
        (one, other) => compareText(one.schema, other.schema) || compareText(one.name, other.name),
    );
    const tables = objects.filter(({ kind }) => kind === "table");
    const views = objects.filter(({ kind }) => kind === "view");
    const archivedTables = plan.archived.filter(({ kind }) => kind === "table");
    // What concerns nothing that is read, before anything that is read is locked.
    const aside = [
        refuseWhere(changedSql(objects.map(expectIncoming))),
        rememberReaders(objects),
        ...recordObjects(plan),
        ...lockAtOnce(archivedTables.map(({ location, name }) => relation(location, name))),
        // A rollback comes out of the archive: out of the way first, for the names in there are wanted.
        ...objects
            .filter(({ incoming }) => incoming.location !== schemas.build)
            .map((object) => move(object, object.incoming.location, schemas.build)),
        ...vacateArchive(plan),
    ];
    const outgoingViews = views.filter(({ outgoing }) => outgoing);
    const moves = [
        // Views first: each waits for its lock, and the less is done by then the cheaper is a retry.
        ...outgoingViews.flatMap((view) => [
            spendPatience(patienceMs),
            move(view, view.schema, schemas.archive),
        ]),
        ...tables
            .filter(({ outgoing }) => outgoing)
            .map((table) => move(table, table.schema, schemas.archive)),
        ...[...views, ...tables].map((object) => move(object, schemas.build, object.schema)),
        ...objects.flatMap(({ afterwards }) => afterwards),
    ];
    const lines = (list: readonly string[]) => list.map((statement) => `${statement};`).join("\n    ");
    const body = `
declare
    started timestamptz;
    unused text;
    readers jsonb;
    problem text;
begin
    perform set_config('lock_timeout', '${patientLockTimeout}', true);
    perform set_config('plan_cache_mode', 'force_generic_plan', true);
    ${fence(plan, lock)}
    ${lines(lockAside(tables, views, plan))}
    perform set_config('lock_timeout', '${lockTimeout}', true);
    ${lines(aside)}
    -- Nothing is moved the first time. To plan the checks takes longer than all the rest, and the second time they are planned.
    for turn in 1..2 loop
    if turn = 2 then
        started := clock_timestamp();
        ${lines(lockAtOnce(liveTables(tables)))}
    end if;
    ${lines([refuseWhere(changedSql(objects.map(expectOutgoing)))])}
    if turn = 2 then
    ${lines(moves)}
    end if;
    problem := ${compareReaders(objects)};
    end loop;
    ${lines([refuse, ...putInService(plan.generation)])}
    update ${schemas.meta}.generation
    set swap_milliseconds = extract(epoch from clock_timestamp() - started) * 1000 where id = ${plan.generation};
    perform pg_notify('pgrst', 'reload schema');
end`;
    const quote = dollarQuote(body);
    return `do ${quote}${body} ${quote}`;
}

/** From here on no lock is waited for longer than what is left. */
function spendPatience(patienceMs: number): string {
    return `perform set_config('lock_timeout', greatest(1, ${patienceMs} - extract(epoch from clock_timestamp() - started) * 1000)::int || 'ms', true)`;
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

/** A relation as it was when it was planned from. */
interface Expected {
    readonly place: string;
    /** null: nothing was there. */
    readonly side: Pick<SwapSide, "oid" | "fingerprint"> | null;
    readonly message: string;
}

function expectIncoming({ name, incoming }: SwapObject): Expected {
    const { location } = incoming;
    return {
        ...{ place: relation(location, name), side: incoming },
        message: `the build ${location}.${name} was changed by somebody since it was looked at; run again`,
    };
}

function expectOutgoing({ schema, name, outgoing }: SwapObject): Expected {
    return {
        ...{ place: relation(schema, name), side: outgoing },
        message: outgoing
            ? `the object in service ${schema}.${name} was changed by somebody since it was looked at; run again`
            : `${schema}.${name} was created by somebody meanwhile; run again`,
    };
}

/**
 * What was planned from must still be what is there; one statement for all, since to plan it takes longer than to run
 * it.
 */
function changedSql(expected: readonly Expected[]): string {
    const rows = expected.map(
        ({ place, side, message }) =>
            `(${side?.oid ?? "null"}::oid, '${side?.fingerprint ?? ""}', ${quoteText(place)}, ${quoteText(message)})`,
    );
    return `(select string_agg(expected.message, '; ') from (values ${rows.join(",\n        ")})
            as expected (oid, fingerprint, place, message)
        where to_regclass(expected.place)::oid is distinct from expected.oid
            or expected.oid is not null and ${fingerprintSql("expected.oid")} is distinct from expected.fingerprint)`;
}

const refuse = `if problem is not null then raise exception '%', problem using errcode = '${refusedState}'; end if`;

function refuseWhere(sql: string): string {
    return `problem := ${sql};
    ${refuse}`;
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
            ({ schema, name, kind, model, rows, incoming, content, definition, valueCounts, filling }) =>
                `insert into ${meta}.object (oid, generation, schema, name, kind, model, rows, bytes, content, definition, value_counts, filling)
        values (${incoming.oid}, ${generation}, ${quoteText(schema)}, ${quoteText(name)}, '${kind}',
                ${textOrNull(model)}, ${rows ?? "null"}, pg_total_relation_size(${incoming.oid}), ${textOrNull(content)},
                ${textOrNull(definition)}, ${textOrNull(valueCounts && JSON.stringify(valueCounts))}, ${textOrNull(filling ?? null)})
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

import { PublishError } from "../errors.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import type { Warehouse } from "../warehouse/types.ts";
import type { ValueCounts } from "./bounds.ts";
import { type BuildTarget, liveName } from "./build-target.ts";
import { hashDefinition } from "./fingerprints.ts";
import { describeGrants, expectedGrants } from "./grants.ts";
import { type LiveObject, qualified } from "./live-object.ts";
import { hasMeta } from "./meta.ts";
import { plannedIndexes } from "./planned-indexes.ts";
import { compareColumns, type Preflight } from "./preflight.ts";
import type { Publication, Published, PublishedTable, PublishedView } from "./published.ts";
import { schemas } from "./schemas.ts";
import { type Survey, surveyTable } from "./survey.ts";
import { verifyTable } from "./verify.ts";

/** What of a publication is work, and what is in service already as it should be. */
export interface Division {
    /** To be built and swapped; or, in mode `diff`, tables to be changed in place and the views over them. */
    readonly changed: Publication;
    readonly mode: "swap" | "diff";
    /** In service, with the same rows. */
    readonly keptTables: readonly Kept<PublishedTable>[];
    /** In service, over kept tables only; they are refreshed, since they may say what day it is. */
    readonly keptViews: readonly Kept<PublishedView>[];
    /** By model. */
    readonly hashes: ReadonlyMap<string, Hashes>;
    /** Of tables, by model. */
    readonly surveys: ReadonlyMap<string, Survey>;
    /** By model, of tables in service. */
    readonly before: ReadonlyMap<string, ValueCounts>;
}

export interface Kept<Object extends Published> {
    readonly object: Object;
    readonly live: LiveObject;
}

interface Hashes {
    readonly content: string | null;
    readonly definition: string;
}

interface RecordedObject extends Hashes {
    readonly rows: number | null;
    readonly values: Readonly<Record<string, number>> | null;
}

/** Compares what is to be published with what is in service and with what was recorded of it. */
export async function divide(
    client: PostgresClient,
    warehouse: Warehouse,
    { tables, views }: Publication,
    { live }: Preflight,
): Promise<Division> {
    const recorded = await readRecorded(client, [...live.values()]);
    const find = (object: Published) => {
        const current = live.get(qualified(object));
        return { current, record: current && recorded.get(current.oid) };
    };
    const hashes = new Map<string, Hashes>();
    const surveys = new Map<string, Survey>();
    for (const table of tables) surveys.set(table.model, await surveyTable(warehouse, table));
    /** By published name: the same object goes on. */
    const sameShape = new Set<string>();
    for (const object of [...tables, ...views]) {
        const definition = hashDefinition(object);
        hashes.set(object.model, { content: surveys.get(object.model)?.content ?? null, definition });
        const { current, record } = find(object);
        if (current && record?.definition === definition && isAsDeclared(object, current))
            sameShape.add(object.name);
    }
    const kept = new Set<string>();
    for (const table of tables) {
        const survey = surveys.get(table.model)!;
        const isSame = find(table).record?.content === survey.content;
        if (isSame && sameShape.has(table.name) && (await isIntact(client, warehouse, table, survey)))
            kept.add(table.name);
    }
    // In order: a view comes after what it reads.
    for (const view of views) {
        if (sameShape.has(view.name) && view.reads.every((name) => kept.has(name))) kept.add(view.name);
    }
    const changedTables = tables.filter(({ name }) => !kept.has(name));
    const isDiff =
        changedTables.every(
            ({ name, mode, key }) => mode === "diff" && key.length > 0 && sameShape.has(name),
        ) && views.every(({ name }) => sameShape.has(name));
    const keptWith = <Object extends Published>(object: Object): readonly Kept<Object>[] =>
        kept.has(object.name) ? [{ object, live: live.get(qualified(object))! }] : [];
    const places = new Map(
        [...tables, ...views].filter(({ name }) => kept.has(name)).map((o) => [o.name, o]),
    );
    return {
        changed: {
            tables: changedTables,
            views: views.filter(({ name }) => !kept.has(name)).map((view) => readLive(view, places)),
        },
        mode: isDiff ? "diff" : "swap",
        keptTables: tables.flatMap(keptWith),
        keptViews: views.flatMap(keptWith),
        hashes,
        surveys,
        before: new Map(
            tables.flatMap((table) => {
                const { record } = find(table);
                const isKnown = record?.rows !== null && record?.values;
                return isKnown ? [[table.model, { rows: record!.rows!, values: record!.values! }]] : [];
            }),
        ),
    };
}

/** What the yml wants is there: somebody may have taken it away by hand. */
function isAsDeclared(object: Published, live: LiveObject): boolean {
    const columns = new Map(live.columns.map(({ name, type }) => [name, type]));
    const target: BuildTarget = { object, live, columns };
    const indexes = new Set(live.indexes.map(({ name }) => name));
    const grants = live.grants.filter(({ grantee }) => grantee !== live.owner);
    if (!plannedIndexes(target).every(({ name }) => indexes.has(name))) return false;
    if (describeGrants(grants) !== describeGrants(expectedGrants(target))) return false;
    if (object.kind === "view") return true;
    const wanted = object.columns.map(({ name, postgresType }) => ({ name, type: postgresType }));
    const { breaking, harmless } = compareColumns(live.columns, wanted);
    const policies = new Set(live.policies.map(({ name }) => name));
    return (
        breaking.length + harmless.length === 0 &&
        object.policies.every(({ name }) => policies.has(name)) &&
        (!object.rowSecurity || live.rowSecurity)
    );
}

/** The rows in service are those that were recorded: somebody may have changed them. */
async function isIntact(
    client: PostgresClient,
    warehouse: Warehouse,
    table: PublishedTable,
    survey: Survey,
): Promise<boolean> {
    try {
        await verifyTable(client, warehouse, table, { relation: liveName(table), survey });
        return true;
    } catch (error) {
        if (error instanceof PublishError) return false;
        throw error;
    }
}

/** What is kept is read where it is in service, instead of in the build schema. */
function readLive(view: PublishedView, kept: ReadonlyMap<string, Published>): PublishedView {
    let { sql } = view;
    for (const name of view.reads) {
        const object = kept.get(name);
        if (!object) continue;
        const quoted = `"${name.replaceAll('"', '""')}"`;
        for (const form of [quoted, `${name}(?![\\w$])`]) {
            const pattern = new RegExp(`\\b${schemas.build}\\.${form}`, "g");
            sql = sql.replace(pattern, () => liveName(object));
        }
    }
    return { ...view, sql };
}

async function readRecorded(
    client: PostgresClient,
    live: readonly LiveObject[],
): Promise<ReadonlyMap<number, RecordedObject>> {
    if (live.length === 0 || !(await hasMeta(client))) return new Map();
    const { rows } = await client.query<{ oid: number; record: RecordedObject }>(
        `select oid::int8::float8 as oid, json_build_object('rows', rows, 'content', to_jsonb(object) ->> 'content',
                'definition', to_jsonb(object) ->> 'definition', 'values', to_jsonb(object) -> 'value_counts') as record
         from ${schemas.meta}.object as object where oid = any ($1::oid[]) and replaced_by is null`,
        [live.map(({ oid }) => oid)],
    );
    return new Map(rows.map(({ oid, record }) => [oid, record]));
}

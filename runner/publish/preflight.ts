import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { carryNotes, columnLosses, objectProblems, writerChanges } from "./carry-problems.ts";
import { readArchived } from "./generations.ts";
import { type LiveObject, qualified, readLiveObjects } from "./live-object.ts";
import { hasMeta } from "./meta.ts";
import { dependentProblems, ownerProblems, publicationProblems, rightProblems } from "./preflight-catalog.ts";
import { connectionProblems } from "./preflight-connections.ts";
import type { Publication, Published, PublishedTable } from "./published.ts";
import { schemas } from "./schemas.ts";
import type { PublishOverride } from "./steps.ts";

export interface Preflight {
    /** By `schema.name`; absent: a first publish. */
    readonly live: ReadonlyMap<string, LiveObject>;
    /** Changes that readers may notice and that refuse nothing. */
    readonly notes: readonly string[];
    readonly missingSchemas: readonly string[];
}

export interface PreflightSettings {
    readonly keepGenerations: number;
}

/** Finds everything that would stop the publish or break somebody after it, before any work is done. */
export async function preflight(
    client: PostgresClient,
    publication: Publication,
    overrides: ReadonlySet<PublishOverride>,
    settings: PreflightSettings,
): Promise<Preflight> {
    await refuseUnfitSession(client, settings);
    const objects: readonly Published[] = [...publication.tables, ...publication.views];
    const live = await readLiveObjects(client, objects);
    const problems = [
        ...(await connectionProblems(client)),
        ...objects.flatMap((object) => objectProblems(object, live.get(qualified(object)))),
        ...(await dependentProblems(client, [...live.values()])),
        ...(await ownerProblems(client, [...live.values()])),
        ...(await rightProblems(client, objects, [...live.values()])),
    ];
    const publications = await publicationProblems(client, [...live.values()]);
    problems.push(...publications.owned);
    const notes = [...live.values()].flatMap(carryNotes);
    if (overrides.has("publications")) notes.push(...publications.everything);
    else problems.push(...publications.everything.map((problem) => overridable(problem, "publications")));
    for (const table of publication.tables) {
        const current = live.get(qualified(table));
        if (!current) continue;
        const { breaking, harmless } = compareColumns(
            current.columns,
            table.columns.map(({ name, postgresType }) => ({ name, type: postgresType })),
        );
        notes.push(...harmless.map((change) => `${qualified(table)}: ${change}`));
        const losses = columnLosses(table, current);
        problems.push(...losses.problems);
        const changes = [
            ...breaking.map((change) => `${change}, which breaks its readers`),
            ...writerChanges(table, current),
        ].map((change) => `${qualified(table)}: ${change}`);
        if (overrides.has("columns")) notes.push(...changes, ...losses.notes);
        else problems.push(...changes.map((change) => overridable(change, "columns")));
    }
    problems.push(...(await nameProblems(client, objects, live)));
    if (problems.length > 0) {
        throw new PublishError(
            "preflight",
            `Publishing was refused before any work:\n${problems.map((problem) => `- ${problem}`).join("\n")}`,
        );
    }
    return { live, notes, missingSchemas: await findMissingSchemas(client, objects) };
}

export interface ColumnShape {
    readonly name: string;
    readonly type: string;
}

/** What a reader of the old columns meets in the new ones. */
export function compareColumns(
    before: readonly ColumnShape[],
    after: readonly ColumnShape[],
): { readonly breaking: readonly string[]; readonly harmless: readonly string[] } {
    const newTypes = new Map(after.map(({ name, type }) => [name, type]));
    const oldNames = new Set(before.map(({ name }) => name));
    const breaking = before.flatMap(({ name, type }) => {
        const found = newTypes.get(name);
        if (found === undefined) return [`column "${name}" (${type}) would be gone`];
        return found === type ? [] : [`column "${name}" would change from ${type} to ${found}`];
    });
    const added = after.filter(({ name }) => !oldNames.has(name)).map(({ name }) => name);
    const kept = after.filter(({ name }) => oldNames.has(name)).map(({ name }) => name);
    const moved =
        kept.join() !==
        before
            .filter(({ name }) => newTypes.has(name))
            .map(({ name }) => name)
            .join();
    return {
        breaking,
        harmless: [
            ...(added.length > 0 ? [`new columns: ${added.join(", ")}`] : []),
            ...(moved ? ["the order of the columns changes, which `select *` shows"] : []),
        ],
    };
}

export function breakingChange(object: Published, change: string): string {
    return overridable(`${qualified(object)}: ${change}, which breaks its readers`, "columns");
}

export function overridable(finding: string, override: PublishOverride): string {
    return `${finding}. If that is wanted, publish with the override "${override}"`;
}

/** Locks and settings must outlive a statement, and the server must take writes. */
async function refuseUnfitSession(
    client: PostgresClient,
    { keepGenerations }: PreflightSettings,
): Promise<void> {
    const { rows } = await client.query<{
        pid: number;
        recovery: boolean;
        readonly: string;
        creator: boolean;
        database: string;
        role: string;
    }>(
        `select pg_backend_pid() as pid, pg_is_in_recovery() as recovery,
                current_setting('transaction_read_only') as readonly,
                has_database_privilege(current_database(), 'create') or not $2
                    and (select count(*) = 3 from pg_catalog.pg_namespace where nspname = any ($1)) as creator,
                current_database() as database, current_user as role`,
        // From the second archived generation on, every swap makes a schema for it.
        [Object.values(schemas), keepGenerations > 1],
    );
    const { rows: again } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const [session] = rows;
    const problems = [
        session!.pid !== again[0]!.pid &&
            "two statements reached two server processes: this is a pooler in transaction mode, which keeps no locks. " +
                "Use the direct connection or the pooler's session mode",
        session!.recovery && "the server is a read replica: use the primary's address",
        session!.readonly === "on" &&
            "the session is read-only (default_transaction_read_only, or a project that ran out of disk)",
        !session!.creator &&
            `the role ${session!.role} may not create schemas; as its owner: grant create on database ` +
                `${quoteName(session!.database)} to ${quoteName(session!.role)};`,
    ].filter((problem) => problem !== false);
    if (problems.length > 0) {
        throw new PublishError("preflight", `This connection cannot publish: ${problems.join("; ")}.`);
    }
}

/** What moves into the schema in service keeps its name, which must be free there by then. */
async function nameProblems(
    client: PostgresClient,
    objects: readonly Published[],
    live: ReadonlyMap<string, LiveObject>,
): Promise<readonly string[]> {
    const wanted = objects.flatMap((object) => [
        ...object.indexes.map(({ name }) => ({ object, name })),
        ...(isKeyed(object) ? [{ object, name: `${object.name}_pkey` }] : []),
    ]);
    const { rows } = await client.query<{ position: number; table: string | null }>(
        `select wanted.position::int as position, indrelid::regclass::text as table
         from unnest($1::text[], $2::text[]) with ordinality as wanted (schema, name, position)
         join pg_namespace as space on space.nspname = wanted.schema
         join pg_class as class on class.relnamespace = space.oid and class.relname = wanted.name
         left join pg_index on indexrelid = class.oid
         where indrelid is null or indrelid <> all ($3::oid[])`,
        [
            wanted.map(({ object }) => object.schema),
            wanted.map(({ name }) => name),
            [...live.values()].map(({ oid }) => oid),
        ],
    );
    const { rows: types } = await client.query<{ name: string }>(
        `select wanted.schema || '.' || wanted.name as name from unnest($1::text[], $2::text[]) as wanted (schema, name)
         join pg_namespace as space on space.nspname = wanted.schema
         join pg_type as type on type.typnamespace = space.oid and type.typname = wanted.name and type.typrelid = 0`,
        [objects.map(({ schema }) => schema), objects.map(({ name }) => name)],
    );
    const indexes = rows.map(({ position, table }) => {
        const { object, name } = wanted[position - 1]!;
        return `${object.schema}.${name}, the name of an index of ${qualified(object)}, is taken${table ? ` by an index of ${table}` : ""}: rename that`;
    });
    return [
        ...indexes,
        ...(await strangersInArchive(client, objects)),
        ...meetings(objects, live),
        ...types.map(
            ({ name }) => `${name} is the name of a type, which a table needs for its rows: rename that`,
        ),
    ];
}

/** Objects of several schemas are built side by side in one, and lie side by side in the archive. */
function meetings(objects: readonly Published[], live: ReadonlyMap<string, LiveObject>): readonly string[] {
    const places = new Map<string, Set<string>>();
    for (const object of objects) {
        const current = live.get(qualified(object));
        const names = [object, ...object.indexes, ...(current?.indexes ?? [])].map(({ name }) => name);
        for (const name of new Set(names)) {
            places.set(name, (places.get(name) ?? new Set()).add(qualified(object)));
        }
    }
    return [...places]
        .filter(([, owners]) => owners.size > 1)
        .map(
            ([name, owners]) =>
                `the name ${name} is used by ${[...owners].join(" and by ")}, which are built in one schema: rename it in one of them`,
        );
}

/** What the swap takes out of service keeps its name there; what a generation put there makes room. */
async function strangersInArchive(
    client: PostgresClient,
    objects: readonly Published[],
): Promise<readonly string[]> {
    const { rows } = await client.query<{ oid: number; name: string }>(
        `select class.oid::int8::float8 as oid, class.oid::regclass::text as name from pg_class as class join pg_namespace as space on space.oid = relnamespace
         where nspname = '${schemas.archive}' and relname = any ($1::text[])`,
        [objects.map(({ name }) => name)],
    );
    if (rows.length === 0) return [];
    const known = (await hasMeta(client)) ? await readArchived(client) : [];
    const recorded = new Set(known.map(({ oid }) => oid));
    return rows
        .filter(({ oid }) => !recorded.has(oid))
        .map(({ name }) => `${name} stands in the way, and no generation on record put it there: drop it`);
}

function isKeyed(object: Published): object is PublishedTable {
    return object.kind === "table" && object.primaryKey.length > 0;
}

async function findMissingSchemas(
    client: PostgresClient,
    objects: readonly Published[],
): Promise<readonly string[]> {
    const wanted = [...new Set(objects.map(({ schema }) => schema))];
    const { rows } = await client.query<{ name: string }>(
        "select name from unnest($1::text[]) as name where not exists (select from pg_namespace where nspname = name)",
        [wanted],
    );
    return rows.map(({ name }) => name);
}

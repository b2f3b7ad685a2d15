import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type LiveObject, qualified, readLiveObjects } from "./live-object.ts";
import { dependentProblems, ownerProblems, rightProblems } from "./preflight-catalog.ts";
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

/** Finds everything that would stop the publish or break somebody after it, before any work is done. */
export async function preflight(
    client: PostgresClient,
    publication: Publication,
    overrides: ReadonlySet<PublishOverride>,
): Promise<Preflight> {
    await refuseUnfitSession(client);
    const objects: readonly Published[] = [...publication.tables, ...publication.views];
    const live = await readLiveObjects(client, objects);
    const problems = [
        ...objects.flatMap((object) => objectProblems(object, live.get(qualified(object)))),
        ...(await dependentProblems(client, [...live.values()])),
        ...(await ownerProblems(client, [...live.values()])),
        ...(await rightProblems(client, objects, [...live.values()])),
    ];
    const notes: string[] = [];
    for (const table of publication.tables) {
        const current = live.get(qualified(table));
        if (!current) continue;
        const { breaking, harmless } = compareColumns(
            current.columns,
            table.columns.map(({ name, postgresType }) => ({ name, type: postgresType })),
        );
        notes.push(...harmless.map((change) => `${qualified(table)}: ${change}`));
        if (overrides.has("columns"))
            notes.push(...breaking.map((change) => `${qualified(table)}: ${change}`));
        else problems.push(...breaking.map((change) => breakingChange(table, change)));
    }
    problems.push(...(await indexNameProblems(client, objects, live)));
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
    return `${qualified(object)}: ${change}, which breaks its readers. If that is wanted, publish with the override "columns"`;
}

/** Locks and settings must outlive a statement, and the server must take writes. */
async function refuseUnfitSession(client: PostgresClient): Promise<void> {
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
                has_database_privilege(current_database(), 'create')
                    or (select count(*) = 3 from pg_catalog.pg_namespace where nspname = any ($1)) as creator,
                current_database() as database, current_user as role`,
        [Object.values(schemas)],
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

function objectProblems(object: Published, live: LiveObject | undefined): readonly string[] {
    const name = qualified(object);
    const problems: string[] = [];
    if (object.kind === "view" && !object.indexes.some(({ unique }) => unique)) {
        problems.push(
            `${name}: a published view needs a unique index, for \`refresh materialized view concurrently\`; ` +
                "declare one in its yml under publish.indexes with unique: true",
        );
    }
    if (!live) return problems;
    const wanted = object.kind === "table" ? "r" : "m";
    if (live.kind !== wanted) {
        problems.push(
            `${name} exists as a ${kinds[live.kind] ?? live.kind}, and a ${kinds[wanted]} is to be published under its name: ` +
                "rename or drop it, or publish under another name",
        );
        return problems;
    }
    for (const key of live.foreignKeys) {
        problems.push(
            key.inbound
                ? `the foreign key ${key.name} of ${key.table} points at ${name} and would stay on the old table: alter table ${key.table} drop constraint ${quoteName(key.name)};`
                : `${name} has the foreign key ${key.name}, which a new table cannot carry without locking the other side: alter table ${name} drop constraint ${quoteName(key.name)};`,
        );
    }
    for (const relative of live.inheritance)
        problems.push(`${name} inherits from or to ${relative}: detach it`);
    for (const rule of live.rules)
        problems.push(`${name} has the rule ${rule}, which is not carried over: drop it`);
    for (const index of live.indexes.filter(({ constraint }) => constraint === "x")) {
        problems.push(
            `${name} has the exclusion constraint ${index.name}, which is not carried over: drop it`,
        );
    }
    for (const policy of live.policies) {
        if (`${policy.using} ${policy.check}`.includes(name)) {
            problems.push(
                `the policy ${policy.name} of ${name} reads the table itself and would stay on the old one: ` +
                    "write it with a security definer function",
            );
        }
    }
    return problems;
}

const kinds: Readonly<Record<string, string>> = {
    r: "table",
    p: "partitioned table",
    v: "view",
    m: "materialized view",
    f: "foreign table",
    S: "sequence",
    c: "type",
    i: "index",
};

/** A new index moves into the schema in service under its name, which must be free there by then. */
async function indexNameProblems(
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
    return rows.map(({ position, table }) => {
        const { object, name } = wanted[position - 1]!;
        return `${object.schema}.${name}, the name of an index of ${qualified(object)}, is taken${table ? ` by an index of ${table}` : ""}: rename that`;
    });
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

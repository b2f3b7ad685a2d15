import { PublishError } from "../errors.ts";
import { quoteName, quoteText } from "../names.ts";
import { type Grant, type LiveIndex, type LiveObject, type Policy, qualified } from "./live-object.ts";
import type { Published, PublishedIndex, PublishedTable, PublishedView } from "./published.ts";
import { schemas } from "./schemas.ts";
import type { PublishOverride } from "./steps.ts";

/** An object to build, with what it replaces. */
export interface BuildTarget<Object extends Published = Published> {
    readonly object: Object;
    /** Absent: a first publish. */
    readonly live?: LiveObject | undefined;
    /** Names of its own columns; a view's are known once it was created. */
    readonly columns: ReadonlySet<string>;
}

/** The object's name in the build schema, for SQL. */
export function buildName(object: Pick<Published, "name">): string {
    return `${schemas.build}.${quoteName(object.name)}`;
}

/** The object's name in service, for SQL. */
export function liveName({ schema, name }: Pick<Published, "schema" | "name">): string {
    return `${quoteName(schema)}.${quoteName(name)}`;
}

export function createTable(
    target: BuildTarget<PublishedTable>,
    overrides: ReadonlySet<PublishOverride>,
): string {
    const { object: table, live } = target;
    const required = new Set(
        overrides.has("columns")
            ? []
            : live?.columns.filter(({ notNull }) => notNull).map(({ name }) => name),
    );
    const keys = new Set(primaryKey(target)?.columns);
    const columns = table.columns.map(
        ({ name, postgresType, notNull }) =>
            `    ${quoteName(name)} ${postgresType}${notNull || keys.has(name) || required.has(name) ? " not null" : ""}`,
    );
    const options = [
        ...(live?.options ?? []),
        ...(live?.toastOptions ?? []).map((option) => `toast.${option}`),
    ];
    return `create table ${buildName(table)} (\n${columns.join(",\n")}\n)${withOptions(options)}`;
}

export function createView(view: PublishedView, live: LiveObject | undefined): string {
    return (
        `create materialized view ${buildName(view)}${withOptions(live?.options ?? [])} as\n` +
        `${view.sql.trim().replace(/;\s*$/, "")}\nwith no data`
    );
}

/** What readers, the planner and replication relied on, put onto the new object while it is still empty. */
export function carryOver({ object, live, columns }: BuildTarget): readonly string[] {
    const target = buildName(object);
    const alter = object.kind === "table" ? `alter table ${target}` : `alter materialized view ${target}`;
    const statements: string[] = [];
    const known = (name: string) => columns.has(name);
    for (const column of live?.columns ?? []) {
        if (!known(column.name)) continue;
        const name = quoteName(column.name);
        if (column.statisticsTarget !== null) {
            statements.push(`${alter} alter column ${name} set statistics ${column.statisticsTarget}`);
        }
        if (column.options.length > 0) {
            statements.push(`${alter} alter column ${name} set (${column.options.join(", ")})`);
        }
    }
    const comment = object.description.trim() || live?.comment;
    const kind = object.kind === "table" ? "table" : "materialized view";
    if (comment) statements.push(`comment on ${kind} ${target} is ${quoteText(comment)}`);
    const comments = new Map<string, string>();
    for (const { name, comment: old } of live?.columns ?? []) if (old && known(name)) comments.set(name, old);
    for (const [name, text] of object.comments) if (known(name)) comments.set(name, text);
    for (const [name, text] of comments) {
        statements.push(`comment on column ${target}.${quoteName(name)} is ${quoteText(text)}`);
    }
    if (object.kind === "table" && live) statements.push(...carryOverTable(target, live));
    return statements;
}

function carryOverTable(target: string, live: LiveObject): readonly string[] {
    const statements = live.checks.map(
        ({ name, definition }) => `alter table ${target} add constraint ${quoteName(name)} ${definition}`,
    );
    statements.push(...live.policies.map((policy) => policyStatement(target, policy)));
    // Force follows in the swap: with it the owner's own load would lose rows.
    if (live.rowSecurity) statements.push(`alter table ${target} enable row level security`);
    if (live.replicaIdentity === "f") statements.push(`alter table ${target} replica identity full`);
    if (live.replicaIdentity === "n") statements.push(`alter table ${target} replica identity nothing`);
    return statements;
}

export function policyStatement(target: string, policy: Policy): string {
    const { name, permissive, command, roles, using, check } = policy;
    const names = roles.map((role) => (role === "public" ? "public" : quoteName(role))).join(", ");
    return (
        `create policy ${quoteName(name)} on ${target} as ${permissive ? "permissive" : "restrictive"} ` +
        `for ${command} to ${names}${using === null ? "" : ` using (${using})`}${check === null ? "" : ` with check (${check})`}`
    );
}

/** Takes away whatever default privileges gave to the new objects, from everybody but the owner. */
export const revokeDefaults = `
do $revoke$
declare entry record;
begin
    for entry in
        select distinct class.oid::regclass as relation,
               case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
        from pg_catalog.pg_class as class, aclexplode(class.relacl) as acl
        where class.relnamespace = '${schemas.build}'::regnamespace and class.relkind in ('r', 'm')
          and acl.grantee <> class.relowner
    loop
        execute format('revoke all on table %s from %s cascade', entry.relation, entry.grantee);
    end loop;
end $revoke$`;

/** Grants of the object in service and of the model's yml, the owner's own left out. */
export function expectedGrants({ object, live, columns }: BuildTarget): readonly Grant[] {
    const carried = (live?.grants ?? []).filter(
        ({ grantee, column }) => grantee !== live?.owner && (column === null || columns.has(column)),
    );
    const declared = object.grantSelect
        .map((role) => (role === "public" ? null : role))
        .filter(
            (role) =>
                !carried.some(
                    ({ grantee, privilege, column }) =>
                        grantee === role && privilege === "SELECT" && column === null,
                ),
        )
        .map((grantee) => ({ grantee, privilege: "SELECT", grantable: false, column: null }));
    return [...carried, ...declared];
}

export function grantStatement(target: string, { grantee, privilege, grantable, column }: Grant): string {
    return (
        `grant ${privilege.toLowerCase()}${column === null ? "" : ` (${quoteName(column)})`} on table ${target} ` +
        `to ${grantee === null ? "public" : quoteName(grantee)}${grantable ? " with grant option" : ""}`
    );
}

export interface PlannedIndex {
    readonly name: string;
    readonly statement: string;
    /** The constraint that the swap makes of it. */
    readonly constraint?: "primary key" | "unique";
    readonly replicaIdentity: boolean;
    readonly clustered: boolean;
    readonly comment: string | null;
}

/** The indexes of the object in service and those of the yml that it lacks. */
export function plannedIndexes(target: BuildTarget): readonly PlannedIndex[] {
    const { object, live, columns: known } = target;
    const key = primaryKey(target);
    const carried = (live?.indexes ?? [])
        .filter(
            ({ constraint, columns }) =>
                constraint !== "p" && (columns ?? []).every((name) => known.has(name)),
        )
        .map((index) => carriedIndex(object, live!, index));
    const declared = object.indexes
        .filter((index) => !live?.indexes.some((other) => isSame(index, other)))
        .filter(({ name }) => !carried.some((index) => index.name === name))
        .map((index) => newIndex(object, index));
    return [
        ...(key
            ? [
                  {
                      ...newIndex(object, { ...key, unique: true }),
                      ...key.flags,
                      constraint: "primary key" as const,
                  },
              ]
            : []),
        ...carried,
        ...declared,
    ];
}

interface PrimaryKey {
    readonly name: string;
    readonly columns: readonly string[];
    readonly flags: Pick<PlannedIndex, "replicaIdentity" | "clustered" | "comment">;
}

function primaryKey({ object: table, live, columns: known }: BuildTarget): PrimaryKey | undefined {
    if (table.kind === "view") return undefined;
    const old = live?.indexes.find(({ constraint }) => constraint === "p");
    const columns = table.primaryKey.length > 0 ? table.primaryKey : (old?.columns ?? []);
    if (columns.length === 0 || !columns.every((name) => known.has(name))) return undefined;
    return {
        name: old?.name ?? `${table.name}_pkey`,
        columns,
        flags: {
            replicaIdentity: old?.replicaIdentity ?? false,
            clustered: old?.clustered ?? false,
            comment: old?.comment ?? null,
        },
    };
}

function isSame(index: PublishedIndex, other: LiveIndex): boolean {
    return other.unique === index.unique && other.columns?.join("\0") === index.columns.join("\0");
}

function newIndex(object: Published, { name, columns, unique }: PublishedIndex): PlannedIndex {
    const list = columns.map(quoteName).join(", ");
    return {
        name,
        statement: `create ${unique ? "unique " : ""}index ${quoteName(name)} on ${buildName(object)} (${list})`,
        replicaIdentity: false,
        clustered: false,
        comment: null,
    };
}

/** pg_get_indexdef, with the table's name exchanged: the rest may hold expressions, classes and conditions. */
function carriedIndex(object: Published, live: LiveObject, index: LiveIndex): PlannedIndex {
    const match = /^(CREATE (?:UNIQUE )?INDEX .*?) ON (?:ONLY )?(\S.*?) (USING .*)$/s.exec(index.definition);
    if (!match) {
        throw new PublishError(
            "preflight",
            `the index ${index.name} of ${qualified(live)} cannot be carried over: ${index.definition}`,
        );
    }
    return {
        name: index.name,
        statement: `${match[1]} on ${buildName(object)} ${match[3]}`,
        ...(index.constraint === "u" && { constraint: "unique" as const }),
        replicaIdentity: index.replicaIdentity,
        clustered: index.clustered,
        comment: index.comment,
    };
}

/** Extended statistics in the build schema; their definitions end with the table's name. */
export function carriedStatistics({ object, live }: BuildTarget): readonly string[] {
    return (live?.statistics ?? []).flatMap(({ name, definition }) => {
        const match = /^CREATE STATISTICS \S.*?( \([a-z_, ]+\))? ON (.*) FROM .*$/s.exec(definition);
        return match
            ? [
                  `create statistics ${schemas.build}.${quoteName(name)}${match[1] ?? ""} on ${match[2]} from ${buildName(object)}`,
              ]
            : [];
    });
}

function withOptions(options: readonly string[]): string {
    return options.length > 0 ? ` with (${options.join(", ")})` : "";
}

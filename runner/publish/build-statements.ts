import { printedName, quoteName, quoteText } from "../names.ts";
import { type BuildTarget, buildName, isWhole } from "./build-target.ts";
import type { LiveObject, Policy } from "./live-object.ts";
import { primaryKey } from "./planned-indexes.ts";
import type { PublishedTable, PublishedView } from "./published.ts";
import { schemas } from "./schemas.ts";
import type { Survey } from "./survey.ts";

export function createTable(
    target: BuildTarget<PublishedTable>,
    { rows, valueCounts }: Pick<Survey, "rows" | "valueCounts">,
): string {
    const { object: table, live } = target;
    const isFull = (name: string) => valueCounts.get(name) === rows;
    const required = new Set(
        live?.columns.filter(({ name, notNull }) => notNull && isFull(name)).map(({ name }) => name),
    );
    const keys = new Set(primaryKey(target)?.columns);
    const before = new Map(live?.columns.map((column) => [column.name, column]));
    const columns = table.columns.map(({ name, postgresType, notNull }) => {
        const old = before.get(name);
        const same = old?.type === postgresType ? old : undefined;
        return [
            `    ${quoteName(name)} ${postgresType}`,
            same?.collation && `collate ${same.collation}`,
            same?.default && !same.isGenerated && !same.sequence && `default ${same.default}`,
            (notNull || keys.has(name) || required.has(name)) && `${nameOf(old)}not null`,
        ]
            .filter(Boolean)
            .join(" ");
    });
    const options = [
        ...(live?.options ?? []),
        ...(live?.toastOptions ?? []).map((option) => `toast.${option}`),
    ];
    return `create table ${buildName(table)} (\n${columns.join(",\n")}\n)${withOptions(options)}${inTablespace(live)}`;
}

function nameOf(column: LiveObject["columns"][number] | undefined): string {
    return column?.notNullName ? `constraint ${quoteName(column.notNullName)} ` : "";
}

export function createView(view: PublishedView, live: LiveObject | undefined): string {
    return (
        `create materialized view ${buildName(view)}${usingMethod(live)}${withOptions(live?.options ?? [])}${inTablespace(live)} as\n` +
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
        if (columns.get(column.name) !== column.type) continue;
        if (column.storage) statements.push(`${alter} alter column ${name} set storage ${column.storage}`);
        if (column.compression)
            statements.push(`${alter} alter column ${name} set compression ${column.compression}`);
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
    if (object.kind === "table") statements.push(...secureTable(target, object, live));
    if (object.kind === "table" && live) statements.push(...carryOverTable(target, live, columns));
    return statements;
}

/** Row security and policies, of the table in service and of the model's yml, which wins where names are the same. */
function secureTable(
    target: string,
    { policies, rowSecurity }: PublishedTable,
    live: LiveObject | undefined,
): readonly string[] {
    const declared = new Set(policies.map(({ name }) => name));
    const carried = (live?.policies ?? []).filter(({ name }) => !declared.has(name));
    return [
        ...[...carried, ...policies].map((policy) => policyStatement(target, policy)),
        ...carried.flatMap(({ name, comment }) =>
            comment === null
                ? []
                : [`comment on policy ${quoteName(name)} on ${target} is ${quoteText(comment)}`],
        ),
        // Force follows in the swap: with it the owner's own load would lose rows.
        ...(live?.rowSecurity || rowSecurity ? [`alter table ${target} enable row level security`] : []),
    ];
}

function carryOverTable(
    target: string,
    live: LiveObject,
    columns: BuildTarget["columns"],
): readonly string[] {
    const statements: string[] = [];
    for (const { name, definition, comment } of live.checks.filter((check) => isWhole(check, columns))) {
        statements.push(`alter table ${target} add constraint ${quoteName(name)} ${definition}`);
        if (comment !== null)
            statements.push(`comment on constraint ${quoteName(name)} on ${target} is ${quoteText(comment)}`);
    }
    if (live.replicaIdentity === "f") statements.push(`alter table ${target} replica identity full`);
    if (live.replicaIdentity === "n") statements.push(`alter table ${target} replica identity nothing`);
    return statements;
}

export function policyStatement(
    target: string,
    policy: Omit<Policy, "needs" | "comment" | "readsItself">,
): string {
    const { name, permissive, command, roles, using, check } = policy;
    const names = roles.map((role) => (role === "public" ? "public" : quoteName(role))).join(", ");
    return (
        `create policy ${quoteName(name)} on ${target} as ${permissive ? "permissive" : "restrictive"} ` +
        `for ${command} to ${names}${using === null ? "" : ` using (${using})`}${check === null ? "" : ` with check (${check})`}`
    );
}

const statisticsDefinition = new RegExp(
    `^CREATE STATISTICS ${printedName}( \\([a-z_, ]+\\))? ON (.*) FROM ${printedName}$`,
    "s",
);

/** Extended statistics in the build schema; their definitions end with the table's name. */
export function carriedStatistics({ object, live, columns }: BuildTarget): readonly string[] {
    return (live?.statistics ?? [])
        .filter((statistics) => isWhole(statistics, columns))
        .flatMap(({ name, definition, target, comment }) => {
            const match = statisticsDefinition.exec(definition);
            const built = `${schemas.build}.${quoteName(name)}`;
            return [
                `create statistics ${built}${match?.[1] ?? ""} on ${match?.[2]} from ${buildName(object)}`,
                ...(target === null ? [] : [`alter statistics ${built} set statistics ${target}`]),
                ...(comment === null ? [] : [`comment on statistics ${built} is ${quoteText(comment)}`]),
            ];
        });
}

function usingMethod(live: LiveObject | undefined): string {
    const method = live?.accessMethod ?? "heap";
    return method === "heap" ? "" : ` using ${quoteName(method)}`;
}

function inTablespace(live: LiveObject | undefined): string {
    return live?.tablespace ? ` tablespace ${quoteName(live.tablespace)}` : "";
}

function withOptions(options: readonly string[]): string {
    return options.length > 0 ? ` with (${options.join(", ")})` : "";
}

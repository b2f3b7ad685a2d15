import { quoteName } from "../names.ts";
import { type LiveObject, qualified } from "./live-object.ts";
import type { Published, PublishedTable } from "./published.ts";

/** What hangs on the object in service and cannot hang on another one. */
export function objectProblems(object: Published, live: LiveObject | undefined): readonly string[] {
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
    for (const provider of live.labels) {
        problems.push(
            `${name} has security labels of ${provider}, whose meaning is not known here: ` +
                `take them off, or publish under another name`,
        );
    }
    if (live.kind === "r" && live.accessMethod !== "heap") {
        problems.push(
            `${name} is stored by the access method ${live.accessMethod}, into which rows cannot be copied frozen: ` +
                `alter table ${name} set access method heap;`,
        );
    }
    if (live.isTyped) problems.push(`${name} is a table of a composite type: alter table ${name} not of;`);
    for (const extension of live.extensions) {
        problems.push(
            `${name} belongs to the extension ${extension}: ` +
                `alter extension ${quoteName(extension)} drop ${live.kind === "r" ? "table" : "materialized view"} ${name};`,
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
        if (policy.readsItself) {
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

/** What changes and harms nobody. */
export function carryNotes(live: LiveObject): readonly string[] {
    return [
        ...(live.isUnlogged
            ? [`${qualified(live)} is unlogged; the new one is logged, and outlives a crash of the server`]
            : []),
        ...live.invalidIndexes.map((index) => `${index} is not valid, and not made anew`),
    ];
}

/** What whoever writes into the table in service by hand would miss: rows come from the models alone. */
export function writerChanges(table: PublishedTable, live: LiveObject): readonly string[] {
    const types = new Map(table.columns.map(({ name, postgresType }) => [name, postgresType]));
    const isCounted = live.columns.some(({ sequence }) => sequence === "serial");
    const strays = isCounted ? [] : live.sequences;
    const goneAlong = strays.map(
        (name) =>
            `the sequence ${name} is owned by the old table and would go along with it (alter sequence ${name} owned by none;)`,
    );
    const changes = live.columns
        .filter(({ name }) => types.has(name))
        .flatMap(({ name, type, default: expression, isGenerated, sequence }) => {
            const alter = `alter table ${qualified(live)} alter column ${quoteName(name)}`;
            if (sequence === "identity")
                return `column "${name}" would lose its identity, which counts on from the rows of the old table (${alter} drop identity;)`;
            if (sequence === "serial")
                return `column "${name}" would lose its default ${expression}, whose sequence belongs to the old table (${alter} drop default;)`;
            if (isGenerated)
                return `column "${name}" would not be generated any more, by ${expression}, but hold the model's values (${alter} drop expression;)`;
            if (expression !== null && types.get(name) !== type)
                return `column "${name}" would lose its default ${expression}, which is of another type`;
            return [];
        });
    return [...changes, ...goneAlong];
}

/** What reads columns that would be gone: a condition of a policy cannot be left out, an index can. */
export function columnLosses(
    table: PublishedTable,
    live: LiveObject,
): { readonly problems: readonly string[]; readonly notes: readonly string[] } {
    const known = new Set(table.columns.map(({ name }) => name));
    const lost = (needs: readonly string[]) => needs.filter((name) => !known.has(name));
    const describe = (what: string, { name, needs }: { name: string; needs: readonly string[] }) =>
        `${what} ${name} of ${qualified(live)} reads ${lost(needs).join(", ")}, which would be gone`;
    const broken = <T extends { readonly needs: readonly string[] }>(list: readonly T[]) =>
        list.filter(({ needs }) => lost(needs).length > 0);
    const declared = new Set(table.policies.map(({ name }) => name));
    return {
        problems: [
            ...broken(live.policies)
                .filter(({ name }) => !declared.has(name))
                .map((policy) => `${describe("the policy", policy)}: change it first`),
            ...broken(live.triggers).map((trigger) => `${describe("the trigger", trigger)}: change it first`),
            ...broken(live.publications).map(
                (publication) => `${describe("the publication", publication)}: change it first`,
            ),
        ],
        notes: [
            ...broken(live.indexes).map(
                (index) =>
                    `${describe("the index", index)}, and it too` +
                    `${index.replicaIdentity ? ", and with it the replica identity" : ""}`,
            ),
            ...broken(live.checks).map((check) => `${describe("the check", check)}, and it too`),
            ...broken(live.statistics).map((item) => `${describe("the statistics", item)}, and they too`),
        ],
    };
}

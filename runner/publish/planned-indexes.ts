import { PublishError } from "../errors.ts";
import { printedName, quoteName } from "../names.ts";
import { type BuildTarget, buildName, isWhole } from "./build-target.ts";
import { type LiveIndex, type LiveObject, qualified } from "./live-object.ts";
import type { Published, PublishedIndex } from "./published.ts";
import { schemas } from "./schemas.ts";

export interface PlannedIndex {
    readonly name: string;
    readonly statement: string;
    /** The constraint that the swap makes of it. */
    readonly constraint?: "primary key" | "unique";
    /** `deferrable initially deferred`, with a space in front; else empty. */
    readonly deferral: string;
    readonly replicaIdentity: boolean;
    readonly clustered: boolean;
    readonly comment: string | null;
    readonly constraintComment: string | null;
}

/** The indexes of the object in service and those of the yml that it lacks. */
export function plannedIndexes(target: BuildTarget): readonly PlannedIndex[] {
    const { object, live, columns: known } = target;
    const key = primaryKey(target);
    const carried = (live?.indexes ?? [])
        .filter(
            (index) =>
                index.constraint !== "p" &&
                isWhole(index, known) &&
                (index.columns ?? []).every((name) => known.has(name)),
        )
        .map((index) => carriedIndex(object, live!, index));
    const declared = object.indexes
        .filter((index) => !live?.indexes.some((other) => isSame(index, other)))
        .filter(({ name }) => !carried.some((index) => index.name === name))
        .map((index) => newIndex(object, index));
    return [
        ...(key ? [{ ...keyIndex(object, live, key), constraint: "primary key" as const }] : []),
        ...carried,
        ...declared,
    ];
}

interface PrimaryKey {
    readonly name: string;
    readonly columns: readonly string[];
    /** The one in service, with the same or other columns. */
    readonly old?: LiveIndex | undefined;
}

export function primaryKey({ object: table, live, columns: known }: BuildTarget): PrimaryKey | undefined {
    if (table.kind === "view") return undefined;
    const old = live?.indexes.find(({ constraint }) => constraint === "p");
    const columns = table.primaryKey.length > 0 ? table.primaryKey : (old?.columns ?? []);
    if (columns.length === 0 || !columns.every((name) => known.has(name))) return undefined;
    return { name: old?.name ?? `${table.name}_pkey`, columns, old };
}

/** The same columns: as it is in service, with what it includes; others: a new one of the same name. */
function keyIndex(
    object: Published,
    live: LiveObject | undefined,
    { name, columns, old }: PrimaryKey,
): PlannedIndex {
    if (old?.columns?.join("\0") === columns.join("\0")) return carriedIndex(object, live!, old);
    const { replicaIdentity = false, clustered = false } = old ?? {};
    return { ...newIndex(object, { name, columns, unique: true }), replicaIdentity, clustered };
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
        constraintComment: null,
        deferral: "",
    };
}

const indexDefinition = new RegExp(
    `^(CREATE (?:UNIQUE )?INDEX ${printedName}) ON (?:ONLY )?${printedName} (USING .*)$`,
    "s",
);

/** pg_get_indexdef, with the table's name exchanged: the rest may hold expressions, classes and conditions. */
function carriedIndex(object: Published, live: LiveObject, index: LiveIndex): PlannedIndex {
    const match = indexDefinition.exec(index.definition);
    if (!match) {
        throw new PublishError(
            "preflight",
            `the index ${index.name} of ${qualified(live)} cannot be carried over: ${index.definition}`,
        );
    }
    return {
        name: index.name,
        statement: carriedStatement(index, `${match[1]} on ${buildName(object)} ${match[2]}`),
        ...(index.constraint === "u" && { constraint: "unique" as const }),
        replicaIdentity: index.replicaIdentity,
        clustered: index.clustered,
        comment: index.comment,
        constraintComment: index.constraintComment,
        deferral: deferral(index),
    };
}

/** A tablespace would stand before the condition: as the default of the moment, it need not be put there. */
function carriedStatement({ name, tablespace, statisticsTargets }: LiveIndex, create: string): string {
    const targets = statisticsTargets.map(
        ({ column, target }) =>
            `alter index ${schemas.build}.${quoteName(name)} alter column ${column} set statistics ${target}`,
    );
    const place = tablespace === null ? [] : [`set default_tablespace = ${quoteName(tablespace)}`];
    const back = tablespace === null ? [] : ["reset default_tablespace"];
    return [...place, create, ...back, ...targets].join(";\n");
}

function deferral({ isDeferrable, isDeferred }: LiveIndex): string {
    return isDeferrable ? ` deferrable initially ${isDeferred ? "deferred" : "immediate"}` : "";
}

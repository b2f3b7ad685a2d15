import { quoteName, quoteText } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import type { Build } from "./build.ts";
import { type BuildTarget, isWhole, liveName } from "./build-target.ts";
import { excessArchives } from "./drop-old.ts";
import { fingerprintSql } from "./fingerprint-sql.ts";
import { type ArchivedObject, readArchived } from "./generations.ts";
import { declaredFacts, type ReaderFact } from "./grants.ts";
import type { LiveObject } from "./live-object.ts";
import { plannedIndexes } from "./planned-indexes.ts";
import { schemas } from "./schemas.ts";

/** All that a swap needs, free of the models: kept with the generation, so that a later run may swap alone. */
export interface SwapPlan {
    readonly generation: number;
    readonly objects: readonly SwapObject[];
    /** Sets of earlier swaps that leave the archive: dropped, or moved to a schema of their own. */
    readonly archived: readonly (ArchivedObject & { readonly drop: boolean })[];
}

export interface SwapObject {
    readonly schema: string;
    readonly name: string;
    readonly kind: "table" | "view";
    readonly model: string | null;
    readonly rows: number | null;
    /** What is recorded of it, for the next publish to compare with. */
    readonly content: string | null;
    readonly definition: string | null;
    readonly valueCounts: Readonly<Record<string, number>> | null;
    /** Of a view (`readFilling`); absent: its next publish refreshes it. */
    readonly filling?: string;
    readonly incoming: SwapSide;
    /** null: a first publish. */
    readonly outgoing: SwapSide | null;
    /** Run after the object has come into service. */
    readonly afterwards: readonly string[];
    /** Who may read is compared before and after: this may come on top. null: nothing to compare with. */
    readonly declared: readonly ReaderFact[] | null;
}

/** A relation as it was when it was checked; the swap refuses when it is not that any more. */
export interface SwapSide {
    readonly oid: number;
    readonly fingerprint: string;
    /** The schema in which it lies. */
    readonly location: string;
}

/** What is known of a built object, by model. */
export type ObjectFacts = Pick<SwapObject, "rows" | "content" | "definition" | "valueCounts" | "filling">;

export const noFacts: ObjectFacts = { rows: null, content: null, definition: null, valueCounts: null };

export async function planSwap(
    client: PostgresClient,
    { generation, tables, views }: Build,
    facts: ReadonlyMap<string, ObjectFacts>,
    keepGenerations: number,
): Promise<SwapPlan> {
    const targets: readonly BuildTarget[] = [...tables, ...views];
    const sides = await readSides(
        client,
        targets.map(({ object }) => ({ schema: schemas.build, name: object.name })),
    );
    return {
        generation,
        archived: await planArchive(client, keepGenerations),
        objects: targets.map(({ object, live, columns }) => ({
            schema: object.schema,
            name: object.name,
            kind: object.kind,
            model: object.model,
            ...(facts.get(object.model) ?? noFacts),
            incoming: sides.get(`${schemas.build}.${object.name}`)!,
            outgoing: live ? liveSide(live) : null,
            afterwards: afterSwap({ object, live, columns }),
            declared: declaredFacts(object),
        })),
    };
}

/** As it was when the publish began: what has come to it since would be lost. */
export function liveSide({ oid, fingerprint, schema }: LiveObject): SwapSide {
    return { oid, fingerprint, location: schema };
}

/** Makes room in the archive: the latest sets but one stay, in schemas of their own. */
export async function planArchive(
    client: PostgresClient,
    keepGenerations: number,
    except: ReadonlySet<number> = new Set(),
): Promise<SwapPlan["archived"]> {
    const archived = (await readArchived(client)).filter(({ oid }) => !except.has(oid));
    const { kept, excess } = excessArchives(archived, Math.max(keepGenerations - 1, 0));
    return [
        ...excess.map((object) => ({ ...object, drop: true })),
        ...kept
            .filter(({ location }) => location === schemas.archive)
            .map((object) => ({ ...object, drop: false })),
    ];
}

export async function readSides(
    client: PostgresClient,
    relations: readonly { readonly schema: string; readonly name: string }[],
): Promise<ReadonlyMap<string, SwapSide>> {
    const { rows } = await client.query<{ schema: string; name: string; oid: number; fingerprint: string }>(
        `select space.nspname as schema, target.relname as name, target.oid::int8::float8 as oid,
                ${fingerprintSql("target.oid")} as fingerprint
         from unnest($1::text[], $2::text[]) as wanted (schema, name)
         join pg_catalog.pg_namespace as space on space.nspname = wanted.schema
         join pg_catalog.pg_class as target on target.relnamespace = space.oid and target.relname = wanted.name`,
        [relations.map(({ schema }) => schema), relations.map(({ name }) => name)],
    );
    return new Map(
        rows.map(({ schema, name, oid, fingerprint }) => [
            `${schema}.${name}`,
            { oid, fingerprint, location: schema },
        ]),
    );
}

/** What can only be done under the name in service, or would have disturbed the load. */
function afterSwap(target: BuildTarget): readonly string[] {
    const { object, live, columns } = target;
    const table = liveName(object);
    const statements: string[] = [];
    for (const planned of plannedIndexes(target)) {
        const { constraint, deferral, replicaIdentity, clustered, comment, constraintComment } = planned;
        const index = quoteName(planned.name);
        if (constraint)
            statements.push(
                `alter table ${table} add constraint ${index} ${constraint} using index ${index}${deferral}`,
            );
        if (constraint && constraintComment !== null) {
            statements.push(`comment on constraint ${index} on ${table} is ${quoteText(constraintComment)}`);
        }
        if (replicaIdentity) statements.push(`alter table ${table} replica identity using index ${index}`);
        if (clustered) {
            statements.push(
                `alter ${object.kind === "table" ? "table" : "materialized view"} ${table} cluster on ${index}`,
            );
        }
        if (comment !== null) {
            statements.push(`comment on index ${quoteName(object.schema)}.${index} is ${quoteText(comment)}`);
        }
    }
    if (!live) return statements;
    if (live.forceRowSecurity) statements.push(`alter table ${table} force row level security`);
    for (const { name, definition, enabled, comment } of live.triggers) {
        statements.push(definition);
        if (comment !== null)
            statements.push(`comment on trigger ${quoteName(name)} on ${table} is ${quoteText(comment)}`);
        const state = { D: "disable", R: "enable replica", A: "enable always" }[enabled];
        if (state) statements.push(`alter table ${table} ${state} trigger ${quoteName(name)}`);
    }
    for (const { name, schema, needs } of live.statistics) {
        statements.push(`alter statistics ${schema}.${quoteName(name)} set schema ${schemas.archive}`);
        if (isWhole({ needs }, columns))
            statements.push(`alter statistics ${schemas.build}.${quoteName(name)} set schema ${schema}`);
    }
    statements.push(...publicationStatements(live));
    return statements;
}

/** Membership passes from the archived table to the one in service. */
export function publicationStatements(live: LiveObject): readonly string[] {
    return live.publications.flatMap(({ name, columns, where }) => {
        const list = columns ? ` (${columns.map(quoteName).join(", ")})` : "";
        return [
            `alter publication ${quoteName(name)} drop table ${schemas.archive}.${quoteName(live.name)}`,
            `alter publication ${quoteName(name)} add table ${liveName(live)}${list}${where === null ? "" : ` where (${where})`}`,
        ];
    });
}

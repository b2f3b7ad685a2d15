import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type ArchivedObject, readArchived } from "./generations.ts";
import { schemas } from "./schemas.ts";

interface Droppable {
    readonly schema: string;
    readonly name: string;
    /** relkind, or the record's word for it. */
    readonly kind: string;
}

const words: Readonly<Record<string, string>> = {
    m: "materialized view",
    view: "materialized view",
    v: "view",
    r: "table",
    p: "table",
    table: "table",
    f: "foreign table",
    S: "sequence",
};

/** One statement a kind, views first: objects that depend on each other may go together without CASCADE. */
export function dropStatements(objects: readonly Droppable[]): readonly string[] {
    const kinds = ["view", "materialized view", "table", "foreign table", "sequence"];
    return kinds.flatMap((kind) => {
        const names = objects
            .filter((object) => words[object.kind] === kind)
            .map(({ schema, name }) => `${quoteName(schema)}.${quoteName(name)}`);
        return names.length > 0 ? [`drop ${kind} ${names.join(", ")}`] : [];
    });
}

/** Of what swaps have archived: the sets of the latest `keep` swaps stay, `excess` goes. */
export function excessArchives(
    archived: readonly ArchivedObject[],
    keep: number,
): { readonly kept: readonly ArchivedObject[]; readonly excess: readonly ArchivedObject[] } {
    const sets = [...new Set(archived.map(({ replacedBy }) => replacedBy))].sort((one, other) => other - one);
    const keptSets = new Set(sets.slice(0, keep));
    return {
        kept: archived.filter(({ replacedBy }) => keptSets.has(replacedBy)),
        excess: archived.filter(({ replacedBy }) => !keptSets.has(replacedBy)),
    };
}

/** Drops archived generations beyond the number kept, and their empty schemas. */
export async function dropOldGenerations(client: PostgresClient, keep: number): Promise<void> {
    const { excess } = excessArchives(await readArchived(client), keep);
    const statements = dropStatements(excess.map((object) => ({ ...object, schema: object.location })));
    if (statements.length > 0) await client.query(statements.join(";\n"));
    const { rows: empty } = await client.query<{ name: string }>(
        `select nspname as name from pg_catalog.pg_namespace as space
         where nspname ~ '^${schemas.archive}_[0-9]+$'
           and not exists (select from pg_catalog.pg_class where relnamespace = space.oid)`,
    );
    for (const { name } of empty) await client.query(`drop schema ${quoteName(name)}`);
    await client.query(`delete from ${schemas.meta}.object where oid = any ($1::oid[])`, [
        excess.map(({ oid }) => oid),
    ]);
}

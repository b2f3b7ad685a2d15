import type { PostgresClient } from "../postgres/connect.ts";
import { liveObjectSql } from "./live-object-sql.ts";

/** A table or view of the target as it is in service, with everything that a replacement must have too. */
export interface LiveObject {
    readonly oid: number;
    readonly schema: string;
    readonly name: string;
    /** pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign. */
    readonly kind: string;
    readonly owner: string;
    readonly comment: string | null;
    readonly options: readonly string[];
    readonly toastOptions: readonly string[];
    readonly rowSecurity: boolean;
    readonly forceRowSecurity: boolean;
    /** d default, n nothing, f full, i index. */
    readonly replicaIdentity: string;
    readonly rows: number;
    readonly bytes: number;
    /** null: the database's own. */
    readonly tablespace: string | null;
    readonly accessMethod: string | null;
    readonly isUnlogged: boolean;
    /** Made of a composite type, with `create table ... of`. */
    readonly isTyped: boolean;
    /** That it belongs to. */
    readonly extensions: readonly string[];
    /** Owned by its columns, for a default or without one. */
    readonly sequences: readonly string[];
    /** Left behind by a `create index concurrently` that failed. */
    readonly invalidIndexes: readonly string[];
    /** Providers of security labels on it or its columns. */
    readonly labels: readonly string[];
    readonly grants: readonly Grant[];
    readonly columns: readonly LiveColumn[];
    readonly indexes: readonly LiveIndex[];
    readonly checks: readonly (Dependent & { readonly definition: string })[];
    readonly policies: readonly Policy[];
    readonly triggers: readonly (Dependent & { readonly definition: string; readonly enabled: string })[];
    readonly statistics: readonly (Dependent & {
        readonly schema: string;
        readonly definition: string;
        readonly target: number | null;
    })[];
    readonly publications: readonly (Dependent & {
        readonly columns: readonly string[] | null;
        readonly where: string | null;
    })[];
    /** Foreign keys of other tables that point at it, and its own that point elsewhere. */
    readonly foreignKeys: readonly {
        readonly name: string;
        readonly table: string;
        readonly inbound: boolean;
    }[];
    /** Tables that inherit from it or it from. */
    readonly inheritance: readonly string[];
    readonly rules: readonly string[];
    /** Of all that readers could notice and of what depends on it, at the moment when all this was read. */
    readonly fingerprint: string;
}

export interface Grant {
    /** null: PUBLIC. */
    readonly grantee: string | null;
    readonly privilege: string;
    readonly grantable: boolean;
    /** Absent: the whole relation. */
    readonly column: string | null;
}

/** Something that hangs on the object and reads some of its columns. */
interface Dependent {
    readonly name: string;
    readonly needs: readonly string[];
    readonly comment: string | null;
}

interface LiveColumn {
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
    /** Of the constraint, which has a name since Postgres 18. */
    readonly notNullName: string | null;
    /** Of a generated column its expression. */
    readonly default: string | null;
    /** Values come from a sequence: serial or identity. */
    readonly sequence: "serial" | "identity" | null;
    readonly isGenerated: boolean;
    /** Qualified and quoted, where it is not the type's own. */
    readonly collation: string | null;
    readonly storage: "plain" | "external" | "main" | "extended" | null;
    readonly compression: "pglz" | "lz4" | null;
    readonly statisticsTarget: number | null;
    readonly options: readonly string[];
    readonly comment: string | null;
}

export interface LiveIndex extends Dependent {
    readonly definition: string;
    /** The constraint that it carries: p primary key, u unique, x exclusion. */
    readonly constraint: string | null;
    readonly unique: boolean;
    /** Its key columns where it has no expressions and no condition. */
    readonly columns: readonly string[] | null;
    /** null: the database's own. */
    readonly tablespace: string | null;
    /** Of expressions, by the number of the index's column. */
    readonly statisticsTargets: readonly { readonly column: number; readonly target: number }[];
    readonly clustered: boolean;
    readonly replicaIdentity: boolean;
    readonly isDeferrable: boolean;
    readonly isDeferred: boolean;
    readonly constraintComment: string | null;
}

export interface Policy extends Dependent {
    readonly permissive: boolean;
    readonly command: string;
    /** PUBLIC is "public" here, as pg_policies says it. */
    readonly roles: readonly string[];
    readonly using: string | null;
    readonly check: string | null;
    /** A condition reads the whole table that the policy is of, not just the row. */
    readonly readsItself: boolean;
}

/** Reads the objects in service under these names; those that do not exist are absent from the map. */
export async function readLiveObjects(
    client: PostgresClient,
    objects: readonly { readonly schema: string; readonly name: string }[],
): Promise<ReadonlyMap<string, LiveObject>> {
    const { rows } = await client.query<{ object: LiveObject }>(liveObjectSql, [
        objects.map(({ schema }) => schema),
        objects.map(({ name }) => name),
    ]);
    return new Map(rows.map(({ object }) => [qualified(object), object]));
}

/** Key of maps and text of messages; not SQL. */
export function qualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
    return `${schema}.${name}`;
}

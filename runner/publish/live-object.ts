import type { PostgresClient } from "../postgres/connect.ts";

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
    readonly isPersistent: boolean;
    readonly rows: number;
    readonly grants: readonly Grant[];
    readonly columns: readonly LiveColumn[];
    readonly indexes: readonly LiveIndex[];
    readonly checks: readonly { readonly name: string; readonly definition: string }[];
    readonly policies: readonly Policy[];
    readonly triggers: readonly {
        readonly name: string;
        readonly definition: string;
        readonly enabled: string;
    }[];
    readonly statistics: readonly {
        readonly name: string;
        readonly schema: string;
        readonly definition: string;
    }[];
    readonly publications: readonly {
        readonly name: string;
        readonly columns: readonly string[] | null;
        readonly where: string | null;
    }[];
    /** Foreign keys of other tables that point at it, and its own that point elsewhere. */
    readonly foreignKeys: readonly {
        readonly name: string;
        readonly table: string;
        readonly inbound: boolean;
    }[];
    /** Tables that inherit from it or it from. */
    readonly inheritance: readonly string[];
    readonly rules: readonly string[];
}

export interface Grant {
    /** null: PUBLIC. */
    readonly grantee: string | null;
    readonly privilege: string;
    readonly grantable: boolean;
    /** Absent: the whole relation. */
    readonly column: string | null;
}

interface LiveColumn {
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
    readonly hasDefault: boolean;
    readonly statisticsTarget: number | null;
    readonly options: readonly string[];
    readonly comment: string | null;
}

export interface LiveIndex {
    readonly name: string;
    readonly definition: string;
    /** The constraint that it carries: p primary key, u unique, x exclusion. */
    readonly constraint: string | null;
    readonly unique: boolean;
    /** Names of its columns where it has no expressions and no condition. */
    readonly columns: readonly string[] | null;
    readonly clustered: boolean;
    readonly replicaIdentity: boolean;
    readonly comment: string | null;
}

export interface Policy {
    readonly name: string;
    readonly permissive: boolean;
    readonly command: string;
    /** PUBLIC is "public" here, as pg_policies says it. */
    readonly roles: readonly string[];
    readonly using: string | null;
    readonly check: string | null;
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

const list = (items: string, from: string) =>
    `coalesce((select json_agg(${items}) from ${from}), '[]'::json)`;

const grantsSql = (acl: string, column: string) =>
    `select case when entry.grantee = 0 then null else pg_get_userbyid(entry.grantee) end as grantee,
            entry.privilege_type as privilege, entry.is_grantable as grantable, ${column} as "column"
     from aclexplode(${acl}) as entry`;

const liveObjectSql = `
select json_build_object(
    'oid', class.oid::int8, 'schema', space.nspname, 'name', class.relname, 'kind', class.relkind,
    'owner', pg_get_userbyid(class.relowner), 'comment', obj_description(class.oid, 'pg_class'),
    'options', coalesce(to_json(class.reloptions), '[]'::json),
    'toastOptions', coalesce((select to_json(toast.reloptions) from pg_class as toast
                              where toast.oid = class.reltoastrelid and toast.reloptions is not null), '[]'::json),
    'rowSecurity', class.relrowsecurity, 'forceRowSecurity', class.relforcerowsecurity,
    'replicaIdentity', class.relreplident, 'isPersistent', class.relpersistence = 'p',
    'rows', greatest(class.reltuples, 0)::int8,
    'grants', ${list(
        "grants order by grants.column nulls first, grants.grantee nulls first, grants.privilege",
        `(${grantsSql("coalesce(class.relacl, acldefault('r', class.relowner))", "null::name")}
          union all
          select column_grants.* from pg_attribute as attribute,
              lateral (${grantsSql("attribute.attacl", "attribute.attname")}) as column_grants
          where attribute.attrelid = class.oid and not attribute.attisdropped) as grants`,
    )},
    'columns', ${list(
        `json_build_object(
            'name', attribute.attname, 'type', format_type(attribute.atttypid, attribute.atttypmod),
            'notNull', attribute.attnotnull, 'hasDefault', attribute.atthasdef or attribute.attidentity <> '',
            'statisticsTarget', nullif(attribute.attstattarget, -1),
            'options', coalesce(to_json(attribute.attoptions), '[]'::json),
            'comment', col_description(class.oid, attribute.attnum)) order by attribute.attnum`,
        "pg_attribute as attribute where attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped",
    )},
    'indexes', ${list(
        `json_build_object(
            'name', index_class.relname, 'definition', pg_get_indexdef(index_class.oid),
            'constraint', (select contype from pg_constraint where conindid = index_class.oid and conrelid = class.oid limit 1),
            'unique', pg_index.indisunique,
            'columns', case when pg_index.indexprs is null and pg_index.indpred is null then
                (select json_agg(attribute.attname order by key.ordinality)
                 from unnest(pg_index.indkey) with ordinality as key (attnum, ordinality)
                 join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = key.attnum) end,
            'clustered', pg_index.indisclustered, 'replicaIdentity', pg_index.indisreplident,
            'comment', obj_description(index_class.oid, 'pg_class')) order by index_class.relname`,
        `pg_index join pg_class as index_class on index_class.oid = pg_index.indexrelid
         where pg_index.indrelid = class.oid and pg_index.indisvalid`,
    )},
    'checks', ${list(
        `json_build_object('name', conname, 'definition', pg_get_constraintdef(oid)) order by conname`,
        "pg_constraint where conrelid = class.oid and contype = 'c'",
    )},
    'policies', ${list(
        `json_build_object(
            'name', policyname, 'permissive', permissive = 'PERMISSIVE', 'command', cmd,
            'roles', to_json(roles), 'using', qual, 'check', with_check) order by policyname`,
        "pg_policies where schemaname = space.nspname and tablename = class.relname",
    )},
    'triggers', ${list(
        "json_build_object('name', tgname, 'definition', pg_get_triggerdef(oid), 'enabled', tgenabled) order by tgname",
        "pg_trigger where tgrelid = class.oid and not tgisinternal",
    )},
    'statistics', ${list(
        `json_build_object('name', stxname, 'schema', stxnamespace::regnamespace::text,
            'definition', pg_get_statisticsobjdef(oid)) order by stxname`,
        "pg_statistic_ext where stxrelid = class.oid",
    )},
    'publications', ${list(
        `json_build_object('name', pubname, 'where', pg_get_expr(prqual, prrelid), 'columns',
            (select json_agg(attname order by attnum) from pg_attribute
             where attrelid = class.oid and attnum = any (prattrs))) order by pubname`,
        "pg_publication_rel join pg_publication on pg_publication.oid = prpubid where prrelid = class.oid",
    )},
    'foreignKeys', ${list(
        `json_build_object('name', conname, 'table', conrelid::regclass::text, 'inbound', confrelid = class.oid and conrelid <> class.oid)`,
        "pg_constraint where contype = 'f' and (confrelid = class.oid or conrelid = class.oid)",
    )},
    'inheritance', ${list(
        "case when inhparent = class.oid then inhrelid::regclass::text else inhparent::regclass::text end",
        "pg_inherits where inhparent = class.oid or inhrelid = class.oid",
    )},
    'rules', ${list("rulename", "pg_rewrite where ev_class = class.oid and rulename <> '_RETURN'")}
) as object
from unnest($1::text[], $2::text[]) as wanted (schema, name)
join pg_catalog.pg_namespace as space on space.nspname = wanted.schema
join pg_catalog.pg_class as class on class.relnamespace = space.oid and class.relname = wanted.name`;

/**
 * SQL for one text that changes when anything changes that readers could notice: who may read, columns,
 * indexes, and whatever has come to depend on the object. The swap compares it with what was planned from.
 */
export function fingerprintSql(oid: string): string {
    return `(select md5(concat_ws('|', class.relowner, class.relacl, class.relrowsecurity, class.relforcerowsecurity,
            class.relpersistence, class.relkind, class.reloptions,
            (select string_agg(concat_ws(',', attname, atttypid, atttypmod, attacl), ';' order by attnum)
             from pg_catalog.pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped),
            (select string_agg(concat_ws(',', polname, polcmd, polroles, polqual, polwithcheck), ';' order by polname)
             from pg_catalog.pg_policy where polrelid = class.oid),
            (select string_agg(indexrelid::text, ',' order by indexrelid) from pg_catalog.pg_index where indrelid = class.oid),
            (select string_agg(oid::text, ',' order by oid) from pg_catalog.pg_constraint
             where conrelid = class.oid or confrelid = class.oid),
            (select string_agg(oid::text, ',' order by oid) from pg_catalog.pg_trigger where tgrelid = class.oid),
            (select string_agg(prpubid::text, ',' order by prpubid) from pg_catalog.pg_publication_rel where prrelid = class.oid),
            (select string_agg(distinct concat_ws(',', classid, objid), ';') from pg_catalog.pg_depend
             where refclassid = 'pg_catalog.pg_class'::regclass and refobjid = class.oid and deptype = 'n')))
        from pg_catalog.pg_class as class where class.oid = ${oid})`;
}

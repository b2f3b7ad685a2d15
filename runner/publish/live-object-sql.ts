import { fingerprintSql } from "./fingerprint-sql.ts";

const list = (items: string, from: string) =>
    `coalesce((select json_agg(${items}) from ${from}), '[]'::json)`;

const grantsSql = (acl: string, column: string) =>
    `select case when entry.grantee = 0 then null else pg_get_userbyid(entry.grantee) end as grantee,
            entry.privilege_type as privilege, entry.is_grantable as grantable, ${column} as "column"
     from aclexplode(${acl}) as entry`;

/** Names of the object's columns that something with an entry in pg_depend reads. */
const needs = (catalog: string, oid: string) =>
    `'needs', ${list(
        "distinct attribute.attname",
        `pg_depend as depend join pg_attribute as attribute
         on attribute.attrelid = depend.refobjid and attribute.attnum = depend.refobjsubid
         where depend.classid = '${catalog}'::regclass and depend.objid = ${oid} and depend.refclassid = 'pg_class'::regclass
           and depend.refobjid = class.oid and depend.refobjsubid > 0`,
    )}, 'comment', obj_description(${oid}, '${catalog}')`;

/** Of $1 schemas and $2 names: one JSON object each, as `LiveObject` has it. */
export const liveObjectSql = `
select json_build_object(
    'oid', class.oid::int8, 'schema', space.nspname, 'name', class.relname, 'kind', class.relkind,
    'owner', pg_get_userbyid(class.relowner), 'comment', obj_description(class.oid, 'pg_class'),
    'options', coalesce(to_json(class.reloptions), '[]'::json),
    'toastOptions', coalesce((select to_json(toast.reloptions) from pg_class as toast
                              where toast.oid = class.reltoastrelid and toast.reloptions is not null), '[]'::json),
    'rowSecurity', class.relrowsecurity, 'forceRowSecurity', class.relforcerowsecurity,
    'replicaIdentity', class.relreplident, 'rows', greatest(class.reltuples, 0)::int8,
    'bytes', case when class.relkind in ('r', 'm') then pg_total_relation_size(class.oid) else 0 end,
    'tablespace', (select spcname from pg_tablespace where pg_tablespace.oid = class.reltablespace),
    'isUnlogged', class.relpersistence = 'u', 'isTyped', class.reloftype <> 0,
    'extensions', ${list(
        "extname",
        "pg_depend join pg_extension on pg_extension.oid = refobjid where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'",
    )},
    'sequences', ${list(
        "objid::regclass::text",
        "pg_depend join pg_class as sequence on sequence.oid = objid and sequence.relkind = 'S' where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = class.oid and deptype = 'a'",
    )},
    'invalidIndexes', ${list("indexrelid::regclass::text", "pg_index where indrelid = class.oid and not indisvalid")},
    'accessMethod', (select amname from pg_am where pg_am.oid = class.relam),
    'labels', ${list("distinct provider", "pg_seclabel where classoid = 'pg_class'::regclass and objoid = class.oid")},
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
            'notNull', attribute.attnotnull, 'notNullName', (select conname from pg_constraint
                where conrelid = class.oid and contype = 'n' and conkey[1] = attribute.attnum), 'default', pg_get_expr(standard.adbin, class.oid),
            'sequence', case when attribute.attidentity <> '' then 'identity'
                when exists (select from pg_depend join pg_class as sequence on sequence.oid = refobjid and sequence.relkind = 'S'
                             where classid = 'pg_attrdef'::regclass and objid = standard.oid) then 'serial' end,
            'isGenerated', attribute.attgenerated <> '',
            'collation', case when attribute.attcollation <> type.typcollation then
                (select quote_ident(collation_space.nspname) || '.' || quote_ident(collname) from pg_collation
                 join pg_namespace as collation_space on collation_space.oid = collnamespace
                 where pg_collation.oid = attribute.attcollation) end,
            'storage', case when attribute.attstorage <> type.typstorage then
                case attribute.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
            'compression', case attribute.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
            'statisticsTarget', nullif(attribute.attstattarget, -1),
            'options', coalesce(to_json(attribute.attoptions), '[]'::json),
            'comment', col_description(class.oid, attribute.attnum)) order by attribute.attnum`,
        `pg_attribute as attribute join pg_type as type on type.oid = attribute.atttypid
         left join pg_attrdef as standard on standard.adrelid = attribute.attrelid and standard.adnum = attribute.attnum
         where attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped`,
    )},
    'indexes', ${list(
        `json_build_object(
            'name', index_class.relname, 'definition', pg_get_indexdef(index_class.oid),
            'constraint', carried.contype, 'isDeferrable', coalesce(carried.condeferrable, false),
            'isDeferred', coalesce(carried.condeferred, false), 'constraintComment', obj_description(carried.oid, 'pg_constraint'),
            'unique', pg_index.indisunique,
            'columns', case when pg_index.indexprs is null and pg_index.indpred is null then
                (select json_agg(attribute.attname order by key.ordinality)
                 from unnest(pg_index.indkey) with ordinality as key (attnum, ordinality)
                 join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = key.attnum
                 where key.ordinality <= pg_index.indnkeyatts) end,
            'tablespace', (select spcname from pg_tablespace where pg_tablespace.oid = index_class.reltablespace),
            'statisticsTargets', ${list(
                "json_build_object('column', attnum, 'target', attstattarget)",
                "pg_attribute where attrelid = index_class.oid and attstattarget >= 0",
            )},
            'clustered', pg_index.indisclustered, 'replicaIdentity', pg_index.indisreplident,
            ${needs("pg_class", "index_class.oid")}) order by index_class.relname`,
        `pg_index join pg_class as index_class on index_class.oid = pg_index.indexrelid
         left join pg_constraint as carried on carried.conindid = index_class.oid and carried.conrelid = class.oid
             and carried.contype in ('p', 'u', 'x')
         where pg_index.indrelid = class.oid and pg_index.indisvalid`,
    )},
    'checks', ${list(
        `json_build_object('name', conname, 'definition', pg_get_constraintdef(pg_constraint.oid),
            ${needs("pg_constraint", "pg_constraint.oid")}) order by conname`,
        "pg_constraint where conrelid = class.oid and contype = 'c'",
    )},
    'policies', ${list(
        `json_build_object(
            'name', polname, 'permissive', polpermissive, 'using', pg_get_expr(polqual, polrelid),
            'check', pg_get_expr(polwithcheck, polrelid),
            'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
            'roles', case when polroles = '{0}' then '["public"]'::json
                else (select json_agg(rolname order by rolname) from pg_roles where pg_roles.oid = any (polroles)) end,
            'readsItself', position(':relid ' || class.oid || ' ' in concat(polqual::text, polwithcheck::text)) > 0,
            ${needs("pg_policy", "pg_policy.oid")}) order by polname`,
        "pg_policy where polrelid = class.oid",
    )},
    'triggers', ${list(
        `json_build_object('name', tgname, 'definition', pg_get_triggerdef(pg_trigger.oid), 'enabled', tgenabled,
            ${needs("pg_trigger", "pg_trigger.oid")}) order by tgname`,
        "pg_trigger where tgrelid = class.oid and not tgisinternal",
    )},
    'statistics', ${list(
        `json_build_object('name', stxname, 'schema', stxnamespace::regnamespace::text,
            'definition', pg_get_statisticsobjdef(pg_statistic_ext.oid), 'target', nullif(stxstattarget, -1),
            ${needs("pg_statistic_ext", "pg_statistic_ext.oid")}) order by stxname`,
        "pg_statistic_ext where stxrelid = class.oid",
    )},
    'publications', ${list(
        `json_build_object('name', pubname, 'where', pg_get_expr(prqual, prrelid), 'columns',
            (select json_agg(attname order by attnum) from pg_attribute
             where attrelid = class.oid and attnum = any (prattrs)),
            ${needs("pg_publication_rel", "pg_publication_rel.oid")}) order by pubname`,
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
    'rules', ${list("rulename", "pg_rewrite where ev_class = class.oid and rulename <> '_RETURN'")},
    'fingerprint', ${fingerprintSql("class.oid")}
) as object
from unnest($1::text[], $2::text[]) as wanted (schema, name)
join pg_catalog.pg_namespace as space on space.nspname = wanted.schema
join pg_catalog.pg_class as class on class.relnamespace = space.oid and class.relname = wanted.name`;

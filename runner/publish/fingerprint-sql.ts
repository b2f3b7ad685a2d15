import { schemas } from "./schemas.ts";

/**
 * SQL for one text that changes when anything changes that readers could notice: who may read, columns,
 * indexes, and whatever has come to depend on the object. The swap compares it with what was planned from.
 */
export function fingerprintSql(oid: string): string {
    return `(select md5(concat_ws('|', described.relowner, described.relacl, described.relrowsecurity, described.relforcerowsecurity,
            described.relpersistence, described.relkind, described.reloptions,
            (select string_agg(concat_ws(',', attname, atttypid, atttypmod, attacl, attnotnull, attstattarget, attoptions), ';' order by attnum)
             from pg_catalog.pg_attribute where attrelid = described.oid and attnum > 0 and not attisdropped),
            (select string_agg(concat_ws(',', polname, polcmd, polroles, polqual, polwithcheck), ';' order by polname)
             from pg_catalog.pg_policy where polrelid = described.oid),
            (select string_agg(indexrelid::text, ',' order by indexrelid) from pg_catalog.pg_index where indrelid = described.oid),
            (select string_agg(oid::text, ',' order by oid) from pg_catalog.pg_constraint
             where conrelid = described.oid or confrelid = described.oid),
            (select string_agg(oid::text, ',' order by oid) from pg_catalog.pg_trigger where tgrelid = described.oid),
            (select string_agg(prpubid::text, ',' order by prpubid) from pg_catalog.pg_publication_rel where prrelid = described.oid),
            (select string_agg(oid::text, ',' order by oid) from pg_catalog.pg_statistic_ext where stxrelid = described.oid),
            -- Functions that take or return its rows.
            (select string_agg(distinct concat_ws(',', classid, objid), ';') from pg_catalog.pg_depend
             where refclassid = 'pg_catalog.pg_type'::regclass and refobjid = described.reltype and deptype = 'n'),
            -- Views out of service come and go with the archive.
            (select string_agg(distinct concat_ws(',', classid, objid), ';') from pg_catalog.pg_depend
             where refclassid = 'pg_catalog.pg_class'::regclass and refobjid = described.oid and deptype = 'n'
               and not exists (select from pg_catalog.pg_rewrite join pg_catalog.pg_class as view on view.oid = ev_class
                   where classid = 'pg_catalog.pg_rewrite'::regclass and pg_rewrite.oid = objid
                     and view.relnamespace::regnamespace::text ~ '^${schemas.archive}'))))
        from pg_catalog.pg_class as described where described.oid = ${oid})`;
}

import { quoteText } from "../names.ts";
import type { SwapObject } from "./swap-plan.ts";

/**
 * SQL for a jsonb array of what everybody but the owner may do with a relation, its row security and its
 * policies, as `ReaderFact` names them.
 */
function readersSql(oid: string): string {
    const grant = (column: string) => `jsonb_build_object(
            'grantee', case when entry.grantee = 0 then null else pg_get_userbyid(entry.grantee) end,
            'privilege', entry.privilege_type, 'grantable', entry.is_grantable, 'column', ${column})`;
    return `(select coalesce(jsonb_agg(fact), '[]'::jsonb) from (
        select ${grant("null::name")} as fact from pg_catalog.pg_class as class, aclexplode(class.relacl) as entry
        where class.oid = ${oid} and entry.grantee <> class.relowner
        union all
        select ${grant("attname")} from pg_catalog.pg_class as class
        join pg_catalog.pg_attribute on attrelid = class.oid and not attisdropped, aclexplode(attacl) as entry
        where class.oid = ${oid} and entry.grantee <> class.relowner
        union all
        select jsonb_build_object('rowSecurity', true) from pg_catalog.pg_class where oid = ${oid} and relrowsecurity
        union all
        select jsonb_build_object('force', true) from pg_catalog.pg_class where oid = ${oid} and relforcerowsecurity
        union all
        select jsonb_build_object('owner', relowner::int8) from pg_catalog.pg_class where oid = ${oid}
        union all
        select jsonb_build_object('policy', polname, 'permissive', polpermissive, 'command', polcmd, 'roles', polroles::int8[],
            'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))
        from pg_catalog.pg_policy where polrelid = ${oid}) as facts)`;
}

/** Remembers, before anything is moved, who may read what is in service: by object identifier. */
export function rememberReaders(objects: readonly SwapObject[]): string {
    const oids = objects.flatMap(({ outgoing, declared }) =>
        outgoing && declared ? [`${outgoing.oid}::oid`] : [],
    );
    return `readers := (select coalesce(jsonb_object_agg(oid::text, ${readersSql("replaced.oid")}), '{}'::jsonb)
        from unnest(array[${oids.join(", ")}]::oid[]) as replaced (oid))`;
}

/**
 * SQL of a message, or NULL where whoever may read could before or was declared, and nobody has lost it. Grants on
 * columns that are gone are gone with them; a declared policy takes the place of the one of its name. Without a
 * predecessor there is an owner all the same, and nobody else but who was declared.
 */
export function compareReaders(objects: readonly SwapObject[]): string {
    const rows = objects.flatMap(({ schema, name, incoming, outgoing, declared }) =>
        declared === null
            ? []
            : [
                  `(${incoming.oid}::oid, ${outgoing?.oid ?? "null"}::oid, ${quoteText(`${schema}.${name}`)}, ${quoteText(JSON.stringify(declared))}::jsonb)`,
              ],
    );
    if (rows.length === 0) return "null";
    const isAllowed =
        "exists (select from jsonb_array_elements(object.declared) as permitted where fact @> permitted)";
    return `(select 'who may read ' || string_agg(object.name, ', ') || ' would not be who could before'
        from (values ${rows.join(",\n            ")}) as object (incoming, outgoing, name, declared),
        lateral (select ${readersSql("object.incoming")} as now, readers -> object.outgoing::text as remembered) as facts,
        lateral (select coalesce(remembered, jsonb_build_array(jsonb_build_object('owner',
            (select relowner::int8 from pg_catalog.pg_class where oid = object.incoming)))) as before) as expected
        where exists (
            select from jsonb_array_elements(now) as fact
            where not before @> jsonb_build_array(fact) and not ${isAllowed})
        or exists (
            select from jsonb_array_elements(coalesce(remembered, '[]'::jsonb)) as fact
            where not now @> jsonb_build_array(fact) and not ${isAllowed}
              and (fact ->> 'column' is null or exists (
                  select from pg_catalog.pg_attribute where attrelid = object.incoming and attname = fact ->> 'column'))))`;
}

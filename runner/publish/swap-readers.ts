import { quoteText } from "../names.ts";
import { refusedState } from "./refused.ts";
import type { SwapObject } from "./swap-plan.ts";

/**
 * SQL for a jsonb array of what everybody but the owner may do with a relation, its row security and its
 * policies, as `ReaderFact` names them.
 */
function readersSql(oid: number): string {
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

/** Remembers, before anything is moved, who may read what is in service. */
export function rememberReaders({ outgoing, declared }: SwapObject, variable: number): readonly string[] {
    if (declared === null) return [];
    return [`readers[${variable}] := ${outgoing ? readersSql(outgoing.oid) : "'[]'::jsonb"}`];
}

/**
 * Whoever may read after the swap could before or was declared, and nobody has lost it. Grants on columns that are
 * gone are gone with them; a declared policy takes the place of the one of its name.
 */
export function compareReaders(
    { schema, name, incoming, outgoing, declared }: SwapObject,
    variable: number,
): readonly string[] {
    if (declared === null) return [];
    const isAllowed = (
        fact: string,
    ) => `exists (select from jsonb_array_elements(${quoteText(JSON.stringify(declared))}::jsonb) as declared
            where ${fact} @> declared)`;
    const message = quoteText(`who may read ${schema}.${name} would not be who could before`);
    // Without a predecessor there is an owner all the same, and nobody else but who was declared.
    const before = outgoing
        ? `readers[${variable}]`
        : `jsonb_build_array(jsonb_build_object('owner', (select relowner::int8 from pg_catalog.pg_class where oid = ${incoming.oid})))`;
    return [
        `facts := ${readersSql(incoming.oid)}`,
        `if exists (
            select from jsonb_array_elements(facts) as fact
            where not ${before} @> jsonb_build_array(fact) and not ${isAllowed("fact")})
        or exists (
            select from jsonb_array_elements(readers[${variable}]) as fact
            where not facts @> jsonb_build_array(fact) and not ${isAllowed("fact")}
              and (fact ->> 'column' is null or exists (
                  select from pg_catalog.pg_attribute where attrelid = ${incoming.oid} and attname = fact ->> 'column')))
        then raise exception '%', ${message} using errcode = '${refusedState}';
    end if`,
    ];
}

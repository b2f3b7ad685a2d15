import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type LiveObject, qualified } from "./live-object.ts";
import type { Published } from "./published.ts";

/** Views, functions and policies of others that are bound to the object, not to its name. */
export async function dependentProblems(
    client: PostgresClient,
    live: readonly LiveObject[],
): Promise<readonly string[]> {
    if (live.length === 0) return [];
    const { rows } = await client.query<{ dependent: string; target: string }>(
        // Row types too, of a function's parameters for one; two indexes are better than one condition with "or".
        `with referenced as (
             select oid as target, 'pg_class'::regclass as class, oid as object from pg_class where oid = any ($1::oid[])
             union all
             select typrelid, 'pg_type'::regclass, unnest(array[oid, typarray]) from pg_type where typrelid = any ($1::oid[]))
         select distinct target::regclass::text as target,
                case when depend.classid = 'pg_rewrite'::regclass
                     then (select case class.relkind when 'm' then 'materialized view ' else 'view ' end || class.oid::regclass
                           from pg_rewrite join pg_class as class on class.oid = ev_class where pg_rewrite.oid = depend.objid)
                     else pg_describe_object(depend.classid, depend.objid, 0) end as dependent
         from referenced join pg_depend as depend on depend.refclassid = referenced.class and depend.refobjid = referenced.object
         where (depend.classid = 'pg_proc'::regclass
                or depend.classid = 'pg_class'::regclass and depend.refclassid = 'pg_type'::regclass
                   and depend.objid <> target
                or depend.classid = 'pg_policy'::regclass
                   and (select polrelid from pg_policy where oid = depend.objid) <> target
                or depend.classid = 'pg_rewrite'::regclass
                   and (select ev_class from pg_rewrite where oid = depend.objid) <> all ($1::oid[])
                   -- A view out of service reads on what it read in service, until it goes.
                   and not exists (select from pg_rewrite join pg_class as view on view.oid = ev_class
                       where pg_rewrite.oid = depend.objid and view.relnamespace::regnamespace::text ~ '^rebuild_archive'))
         order by 1, 2`,
        [live.map(({ oid }) => oid)],
    );
    return rows.map(
        ({ dependent, target }) =>
            `${dependent} is bound to ${target} and would keep reading the old one after the swap: ` +
            "drop it and create it again afterwards, or make it a published model",
    );
}

export async function ownerProblems(
    client: PostgresClient,
    live: readonly LiveObject[],
): Promise<readonly string[]> {
    if (live.length === 0) return [];
    // Acting for an owner needs its rights without SET ROLE, and giving objects to it needs SET ROLE, apart since 16.
    const isApart = client.serverVersion >= 160_000;
    const { rows } = await client.query<{ owner: string; role: string }>(
        `select owner, current_user as role from unnest($1::text[]) as owner
         where not pg_has_role(current_user, owner, 'usage') or not pg_has_role(current_user, owner, $2)`,
        [[...new Set(live.map(({ owner }) => owner))], isApart ? "set" : "member"],
    );
    return rows.map(({ owner, role }) => {
        const names = live.filter((object) => object.owner === owner).map(qualified);
        const grant = `grant ${quoteName(owner)} to ${quoteName(role)}${isApart ? " with inherit true, set true" : ""};`;
        return `${names.join(", ")} belongs to ${owner}, and ${role} may not act for it: ${grant}`;
    });
}

/** Publications follow the object; one for all tables would also carry the builds to its subscribers. */
export async function publicationProblems(
    client: PostgresClient,
    live: readonly LiveObject[],
): Promise<{ readonly owned: readonly string[]; readonly everything: readonly string[] }> {
    const { rows } = await client.query<{
        name: string;
        all: boolean;
        owner: string;
        role: string;
        mine: boolean;
    }>(
        `select pubname as name, puballtables as "all", pg_get_userbyid(pubowner) as owner, current_user as role,
                pg_has_role(current_user, pubowner, 'usage') as mine
         from pg_publication where puballtables or pubname = any ($1::text[]) order by 1`,
        [live.flatMap(({ publications }) => publications.map(({ name }) => name))],
    );
    return {
        owned: rows
            .filter(({ all, mine }) => !all && !mine)
            .map(
                ({ name, owner, role }) =>
                    `the publication ${name} belongs to ${owner}, and ${role} cannot put the new table into it: ` +
                    `grant ${quoteName(owner)} to ${quoteName(role)};`,
            ),
        everything: rows
            .filter(({ all }) => all)
            .map(
                ({ name }) =>
                    `the publication ${name} is for all tables: its subscribers would receive the tables of rebuild_build ` +
                    "and stop where they have none. Make it one for the tables or schemas that are meant",
            ),
    };
}

/** Rights that the swap needs at its end are asked for at the beginning. */
export async function rightProblems(
    client: PostgresClient,
    objects: readonly Published[],
    live: readonly LiveObject[],
): Promise<readonly string[]> {
    const { rows } = await client.query<{
        role: string;
        bypass: boolean;
        closed: string[];
        unknown: string[];
        shut: string[];
    }>(
        `select current_user as role, (select rolbypassrls or rolsuper from pg_roles where rolname = current_user) as bypass,
                array(select nspname::text from pg_namespace
                      where nspname = any ($1) and not has_schema_privilege(oid, 'create, usage')) as closed,
                array(select role from unnest($2::text[]) as role
                      where role <> 'public' and not exists (select from pg_roles where rolname = role)) as unknown,
                array(select spcname::text from pg_tablespace
                      where spcname = any ($3) and not has_tablespace_privilege(oid, 'create')) as shut`,
        [
            [...new Set(objects.map(({ schema }) => schema))],
            [...new Set(objects.flatMap((object) => object.grantSelect))],
            live.flatMap(({ tablespace, indexes }) => [
                tablespace,
                ...indexes.map((index) => index.tablespace),
            ]),
        ],
    );
    const { role, bypass, closed, unknown, shut } = rows[0]!;
    const forced = bypass ? [] : live.filter(({ forceRowSecurity }) => forceRowSecurity);
    return [
        ...closed.map(
            (schema) =>
                `${role} may not create tables in the schema ${schema}: grant create, usage on schema ${quoteName(schema)} to ${quoteName(role)};`,
        ),
        ...shut.map(
            (name) =>
                `${role} may not put anything into the tablespace ${name}: grant create on tablespace ${quoteName(name)} to ${quoteName(role)};`,
        ),
        ...unknown.map(
            (name) =>
                `grant_select names the role ${name}, which does not exist here: create role ${quoteName(name)};`,
        ),
        ...forced.map(
            (object) =>
                `${qualified(object)} forces row security on its owner, so that ${role} cannot count its rows: alter role ${quoteName(role)} bypassrls;`,
        ),
    ];
}

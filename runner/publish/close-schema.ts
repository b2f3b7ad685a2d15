import { quoteName, quoteText } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import type { LiveObject } from "./live-object.ts";
import { schemas } from "./schemas.ts";

/**
 * Takes a schema from everybody but its owner: default privileges may have opened it the moment it was
 * created, and somebody may have opened it since. Without DDL where nothing is to be taken. `keep` is SQL
 * for roles, by OID, that may stay.
 */
export function closeSchema(name: string, keep = "'{}'::oid[]"): string {
    return `do $close$ begin ${closeSchemaBlock(name, keep)}; end $close$`;
}

/** The same as a statement of PL/pgSQL. */
export function closeSchemaBlock(name: string, keep = "'{}'::oid[]"): string {
    return `
    declare entry record;
    begin
        for entry in
            select distinct case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
            from pg_catalog.pg_namespace as space, aclexplode(space.nspacl) as acl
            where space.nspname = ${quoteText(name)} and acl.grantee <> space.nspowner and acl.grantee <> all (${keep})
        loop
            execute format('revoke all on schema %I from %s cascade', ${quoteText(name)}, entry.grantee);
        end loop;
    end`;
}

/**
 * A materialized view is refreshed with the rights of its owner, and its owner must be able to own something
 * in the schema. Who owns what is in service learns nothing by that: grants are the same on both sides.
 */
export async function openToOwners(client: PostgresClient, live: readonly LiveObject[]): Promise<void> {
    const { rows } = await client.query<{ owner: string }>(
        `select distinct owner from unnest($1::text[]) as owner
         where owner <> current_user and not (select rolsuper from pg_roles where rolname = owner)`,
        [live.map(({ owner }) => owner)],
    );
    for (const { owner } of rows) {
        await client.query(`grant usage, create on schema ${schemas.build} to ${quoteName(owner)}`);
    }
}

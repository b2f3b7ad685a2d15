import { quoteName } from "../names.ts";
import type { BuildTarget } from "./build-target.ts";
import type { Grant } from "./live-object.ts";
import type { Published } from "./published.ts";
import { schemas } from "./schemas.ts";

/** Takes away whatever default privileges gave to the new objects, from everybody but the owner. */
export const revokeDefaults = `
do $revoke$
declare entry record;
begin
    for entry in
        select distinct class.oid::regclass as relation,
               case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
        from pg_catalog.pg_class as class, aclexplode(class.relacl) as acl
        where class.relnamespace = '${schemas.build}'::regnamespace and class.relkind in ('r', 'm')
          and acl.grantee <> class.relowner
    loop
        execute format('revoke all on table %s from %s cascade', entry.relation, entry.grantee);
    end loop;
end $revoke$`;

/** Grants of the object in service and of the model's yml, the owner's own left out. */
export function expectedGrants({ object, live, columns }: BuildTarget): readonly Grant[] {
    const carried = (live?.grants ?? []).filter(
        ({ grantee, column }) => grantee !== live?.owner && (column === null || columns.has(column)),
    );
    const declared = object.grantSelect
        .map((role) => (role === "public" ? null : role))
        .filter(
            (role) =>
                !carried.some(
                    ({ grantee, privilege, column }) =>
                        grantee === role && privilege === "SELECT" && column === null,
                ),
        )
        .map((grantee) => ({ grantee, privilege: "SELECT", grantable: false, column: null }));
    return [...carried, ...declared];
}

export function grantStatement(target: string, { grantee, privilege, grantable, column }: Grant): string {
    return (
        `grant ${privilege.toLowerCase()}${column === null ? "" : ` (${quoteName(column)})`} on table ${target} ` +
        `to ${grantee === null ? "public" : quoteName(grantee)}${grantable ? " with grant option" : ""}`
    );
}

/** One line for comparisons and messages. */
export function describeGrants(grants: readonly Grant[]): string {
    return [
        ...new Set(
            grants.map(
                ({ grantee, privilege, grantable, column }) =>
                    `${privilege}${column === null ? "" : `(${column})`} to ${grantee ?? "public"}${grantable ? " with grant option" : ""}`,
            ),
        ),
    ]
        .sort()
        .join(", ");
}

/** What a role may do with an object, or one of its policies, as `readersSql` reads it. */
export interface ReaderFact {
    readonly grantee?: string | null;
    readonly privilege?: string;
    readonly grantable?: boolean;
    readonly column?: string | null;
    readonly policy?: string;
    readonly rowSecurity?: true;
}

/** What the model's yml lets the swap change about who may read what. */
export function declaredFacts(object: Published): readonly ReaderFact[] {
    return [
        ...object.grantSelect.map((role) => ({
            grantee: role === "public" ? null : role,
            privilege: "SELECT",
            grantable: false,
            column: null,
        })),
        ...(object.kind === "table" ? object.policies.map(({ name }) => ({ policy: name })) : []),
        ...(object.kind === "table" && object.rowSecurity ? [{ rowSecurity: true as const }] : []),
    ];
}

import { quoteName } from "../names.ts";
import { policyStatement } from "./build-statements.ts";
import { liveName } from "./build-target.ts";
import { grantStatement } from "./grants.ts";
import type { LiveObject } from "./live-object.ts";
import { schemas } from "./schemas.ts";
import { publicationStatements } from "./swap-plan.ts";

/** Rights given or taken since the object went out of service hold for it too. */
export function sameReaders(archived: LiveObject, current: LiveObject): readonly string[] {
    const table = liveName(current);
    const columns = new Set(archived.columns.map(({ name }) => name));
    const isTable = current.kind === "r";
    const grantees = new Set(
        archived.grants.map(({ grantee }) => grantee).filter((name) => name !== archived.owner),
    );
    const memberships = isTable ? publicationStatements(current) : [];
    const security = isTable
        ? [
              ...archived.policies.map(({ name }) => `drop policy ${quoteName(name)} on ${table}`),
              ...current.policies.map((policy) => policyStatement(table, policy)),
              `alter table ${table} ${current.rowSecurity ? "enable" : "disable"} row level security`,
              `alter table ${table} ${current.forceRowSecurity ? "" : "no "}force row level security`,
          ]
        : [];
    return [
        ...(archived.owner === current.owner
            ? []
            : [
                  `alter ${isTable ? "table" : "materialized view"} ${table} owner to ${quoteName(current.owner)}`,
              ]),
        ...[...grantees].map(
            (name) =>
                `revoke all on table ${table} from ${name === null ? "public" : quoteName(name)} cascade`,
        ),
        ...current.grants
            .filter(
                ({ grantee, column }) =>
                    grantee !== current.owner && (column === null || columns.has(column)),
            )
            .map((grant) => grantStatement(table, grant)),
        ...security,
        ...memberships,
        ...exchangeStatistics(archived, current),
    ];
}

/** Both sides may use the same names: the one that comes back waits in the build schema. */
function exchangeStatistics(archived: LiveObject, current: LiveObject): readonly string[] {
    const move = (name: string, from: string, to: string) =>
        `alter statistics ${from}.${quoteName(name)} set schema ${to}`;
    return [
        ...archived.statistics.map(({ name, schema }) => move(name, schema, schemas.build)),
        ...current.statistics.map(({ name, schema }) => move(name, schema, schemas.archive)),
        ...archived.statistics.map(({ name }) => move(name, schemas.build, quoteName(current.schema))),
    ];
}

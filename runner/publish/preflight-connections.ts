import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";

/** Of the connections that are left, one is for a look at the record after a swap whose connection broke. */
const neededConnections = 1;

/** A server without connections would stop everybody, not just the publish. */
export async function connectionProblems(client: PostgresClient): Promise<readonly string[]> {
    const { rows } = await client.query<{ free: number; own: number | null; role: string }>(
        `select current_user as role,
                (select sum(case name when 'max_connections' then setting::int else -setting::int end)
                 from pg_settings where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections'))::int
                - (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as free,
                (select rolconnlimit - (select count(*)::int from pg_stat_activity where usesysid = pg_roles.oid)
                 from pg_roles where rolname = current_user and rolconnlimit >= 0) as own`,
    );
    const { free, own, role } = rows[0]!;
    if (free < neededConnections) {
        return ["all of the server's connections are in use: try later, or raise max_connections"];
    }
    if (own !== null && own < neededConnections) {
        return [
            `the role ${role} has used up its connections: alter role ${quoteName(role)} connection limit 5;`,
        ];
    }
    return [];
}

import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { formatBytes } from "../status/format.ts";
import type { LiveObject } from "./live-object.ts";

export interface Room {
    /** Size that the database may reach. Absent: not watched, since a server does not tell how full its disk is. */
    readonly maxDatabaseBytes?: number | undefined;
}

/** Of the connections that are left, one is for a look at the record after a swap whose connection broke. */
const neededConnections = 1;

/** A disk that runs full or a server without connections would stop everybody, not just the publish. */
export async function refuseWithoutRoom(
    client: PostgresClient,
    { maxDatabaseBytes }: Room,
    live: readonly LiveObject[],
): Promise<void> {
    const { rows } = await client.query<{ free: number; own: number | null; size: number; role: string }>(
        `select current_user as role, pg_database_size(current_database())::float8 as size,
                (select sum(case name when 'max_connections' then setting::int else -setting::int end)
                 from pg_settings where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections'))::int
                - (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as free,
                (select rolconnlimit - (select count(*)::int from pg_stat_activity where usesysid = pg_roles.oid)
                 from pg_roles where rolname = current_user and rolconnlimit >= 0) as own`,
    );
    const { free, own, size, role } = rows[0]!;
    const problems: string[] = [];
    if (free < neededConnections) {
        problems.push("all of the server's connections are in use: try later, or raise max_connections");
    } else if (own !== null && own < neededConnections) {
        problems.push(
            `the role ${role} has used up its connections: alter role ${quoteName(role)} connection limit 5;`,
        );
    }
    // What is built lies beside what is in service until the swap.
    const needed = live.reduce((sum, { bytes }) => sum + bytes, 0);
    if (maxDatabaseBytes !== undefined && size + needed > maxDatabaseBytes) {
        problems.push(
            `the database has ${formatBytes(size)}, a generation needs about ${formatBytes(needed)} more, and ` +
                `max_database_bytes allows ${formatBytes(maxDatabaseBytes)}: lower keep_generations, or make room`,
        );
    }
    if (problems.length > 0) {
        throw new PublishError("preflight", `There is no room to publish: ${problems.join("; ")}.`);
    }
}

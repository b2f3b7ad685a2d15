import type { PostgresClient } from "../postgres/connect.ts";

interface Blocker {
    readonly relation: string;
    readonly pid: number;
    readonly kind: string;
    readonly name: string | null;
    readonly user: string | null;
    readonly state: string | null;
    readonly seconds: number;
}

/** Who holds a lock on these relations, one line each, the oldest transaction first. */
export async function describeBlockers(
    client: PostgresClient,
    oids: readonly number[],
): Promise<readonly string[]> {
    const { rows } = await client.query<Blocker>(
        `select distinct on (holder.pid) holder.relation::regclass::text as relation, holder.pid,
                activity.backend_type as kind, activity.application_name as name, activity.usename as user,
                activity.state, coalesce(extract(epoch from clock_timestamp() - activity.xact_start), 0)::float8 as seconds
         from pg_catalog.pg_locks as holder
         left join pg_catalog.pg_stat_activity as activity on activity.pid = holder.pid
         where holder.locktype = 'relation' and holder.granted and holder.relation = any ($1::oid[])
           and holder.pid <> pg_backend_pid()
           and holder.database = (select oid from pg_catalog.pg_database where datname = current_database())
         order by holder.pid`,
        [oids],
    );
    return [...rows].sort((one, other) => other.seconds - one.seconds).map(describe);
}

function describe({ relation, pid, kind, name, user, state, seconds }: Blocker): string {
    if (kind === "autovacuum worker")
        return `autovacuum on ${relation} (process ${pid}), which yields by itself`;
    const who = [name || "a session without application name", user && `user ${user}`]
        .filter(Boolean)
        .join(", ");
    return `${relation}: ${who}, process ${pid}, ${state ?? "state unknown"}, in a transaction for ${Math.round(seconds)} s`;
}

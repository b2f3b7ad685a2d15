import { PublishError } from "../errors.ts";
import { type ConnectOptions, describeConnection, type PostgresClient, withClient } from "./connect.ts";

/** A session's advisory lock: one holder in the whole database, given up by the server when the session ends. */
export interface AdvisoryLock {
    /** The server's process that holds it. The swap looks it up in pg_locks. */
    readonly processId: number;
    readonly key: AdvisoryLockKey;
    /** Aborted when the session ends before the callback does: somebody else may then hold the lock. */
    readonly lost: AbortSignal;
}

interface AdvisoryLockKey {
    readonly group: number;
    readonly id: number;
}

/** The letters `rebu`, and 1 for publishing: one publisher a database, since its private schemas are shared. */
const publishLockKey: AdvisoryLockKey = { group: 0x72656275, id: 1 };

export interface AdvisoryLockOptions extends ConnectOptions {
    readonly key?: AdvisoryLockKey;
}

/** Holds the lock on a connection of its own while the callback runs; throws at once when another session has it. */
export async function withAdvisoryLock<T>(
    { key = publishLockKey, ...options }: AdvisoryLockOptions,
    callback: (lock: AdvisoryLock) => Promise<T>,
): Promise<T> {
    return withClient(options, async (client) => {
        if (!(await tryLock(client, key))) {
            throw new PublishError("locked", await describeHolder(client, key, options.url));
        }
        const lost = new AbortController();
        client.driver.once("end", () =>
            lost.abort(new Error("the connection that held the lock was closed")),
        );
        return callback({ processId: client.processId, key, lost: lost.signal });
    });
}

async function tryLock(client: PostgresClient, { group, id }: AdvisoryLockKey): Promise<boolean> {
    const { rows } = await client.query<{ locked: boolean }>(
        "select pg_catalog.pg_try_advisory_lock($1, $2) as locked",
        [group, id],
    );
    return rows[0]!.locked;
}

/** SQL that is true while `processId` holds the lock. */
export function holdsLockSql({ processId, key }: Pick<AdvisoryLock, "processId" | "key">): string {
    return `exists (
        select from pg_catalog.pg_locks
        where locktype = 'advisory' and granted and objsubid = 2
          and database = (select oid from pg_catalog.pg_database where datname = current_database())
          and classid = ${key.group} and objid = ${key.id} and pid = ${processId}
    )`;
}

/** SQL that finds sessions which hold the publisher's lock, by a condition on pg_stat_activity. */
export function advisoryHoldersSql(condition: string): string {
    return `
        select from pg_catalog.pg_locks as held
        left join pg_catalog.pg_stat_activity as activity using (pid)
        where held.locktype = 'advisory' and held.granted and held.objsubid = 2
            and held.database = (select oid from pg_catalog.pg_database where datname = current_database())
            and held.classid = ${publishLockKey.group} and held.objid = ${publishLockKey.id} and ${condition}`;
}

interface Holder {
    readonly pid: number;
    readonly application_name: string | null;
    readonly usename: string | null;
    readonly client_addr: string | null;
    readonly since: string | null;
}

async function describeHolder(client: PostgresClient, key: AdvisoryLockKey, url: string): Promise<string> {
    const { rows } = await client.query<Holder>(
        `select holder.pid, activity.application_name, activity.usename, activity.client_addr::text,
                to_char(activity.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as since
         from pg_catalog.pg_locks as holder
         left join pg_catalog.pg_stat_activity as activity using (pid)
         where holder.locktype = 'advisory' and holder.granted and holder.objsubid = 2
           and holder.database = (select oid from pg_catalog.pg_database where datname = current_database())
           and holder.classid = $1 and holder.objid = $2`,
        [key.group, key.id],
    );
    const holder = rows[0];
    const where = describeConnection(url);
    if (!holder) return `${where}: another run held the lock a moment ago. Try again.`;
    const name = holder.application_name || "a session without application name";
    return (
        `${where}: another run holds the lock: ${name}, server process ${holder.pid}, user ${holder.usename ?? "?"}, ` +
        `from ${holder.client_addr ?? "a local socket"}, connected since ${holder.since ?? "?"}. ` +
        `Wait for it to end. If its machine is gone, the server notices after its TCP keepalive time, ` +
        `or at once by: select pg_terminate_backend(${holder.pid});`
    );
}

import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import { longestPatienceMs } from "../../runner/publish/swap-block.ts";

export interface LockWaits {
    /** How many were seen; shorter ones than the step may escape. */
    readonly seen: number;
    /** From when the server says that the wait began to when it was last seen. */
    readonly longestMs: number;
    /** Longest time between two looks: by so much a wait may have been longer than it was seen. */
    readonly longestStepMs: number;
}

/** Between two looks; one takes about 0.2 ms of a core. */
const stepSeconds = 0.003;

/**
 * What a swap may have had to do with a wait: the longest time for which one held its locks, as publishes print it, or
 * an attempt that was given up, and how late we may have looked.
 */
export async function longestExplainedMs(
    client: PostgresClient,
    { longestStepMs }: LockWaits,
): Promise<number> {
    const { rows } = await client.query<{ ms: number }>(
        "select coalesce(max(swap_milliseconds), 0) as ms from rebuild_meta.generation",
    );
    return Math.max(rows[0]!.ms, longestPatienceMs) + longestStepMs;
}

/**
 * How long sessions waited for locks while the callback ran, as Postgres tells it: unlike the time that a client
 * measures, it holds no wait for a core, the disk or the client's own event loop. Looked at in the server, in slices: a
 * single long statement would hold back vacuum, and a session for each look would be late.
 */
export async function withLockWaits(
    url: string,
    isWatched: (processId: number) => boolean,
    callback: () => Promise<void>,
): Promise<LockWaits> {
    const waits = new Map<string, number>();
    let longestStepMs = 0;
    await withClient({ url, applicationName: "lock waits" }, async (client) => {
        await client.query(
            `select set_config(name, '0', false) from pg_settings where name ~ '^(statement|transaction|idle_session)_timeout$'`,
        );
        await client.query(sampler);
        let isOver = false;
        const sampling = (async () => {
            while (!isOver) {
                for (const { pid, began, ms } of await sample(client)) {
                    if (pid === null) longestStepMs = Math.max(longestStepMs, ms);
                    else if (isWatched(pid)) waits.set(`${pid} ${began}`, ms);
                }
            }
        })();
        // Whoever awaits it below hears of a failure.
        sampling.catch(() => undefined);
        try {
            await callback();
        } finally {
            isOver = true;
            await sampling;
        }
    });
    return { seen: waits.size, longestMs: Math.max(0, ...waits.values()), longestStepMs };
}

interface Sample {
    /** null: the longest step of the slice. */
    readonly pid: number | null;
    readonly began: string | null;
    readonly ms: number;
}

/** A step is counted from before a look to after the next, that of the slice before included: never too short. */
const sampler = `create function pg_temp.sample_lock_waits() returns table (pid int, began timestamptz, ms float8)
language plpgsql as $$
declare
    looked timestamptz := coalesce(current_setting('lock_waits.looked', true)::timestamptz, clock_timestamp());
    looking timestamptz;
begin
    for turn in 1..60 loop
        perform pg_sleep(${stepSeconds});
        looking := clock_timestamp();
        return query select lock.pid, lock.waitstart, extract(epoch from clock_timestamp() - lock.waitstart)::float8 * 1000
            from pg_lock_status() as lock where not lock.granted and lock.waitstart is not null;
        return query select null::int, null::timestamptz, extract(epoch from clock_timestamp() - looked)::float8 * 1000;
        looked := looking;
    end loop;
    perform set_config('lock_waits.looked', looked::text, false);
end $$`;

async function sample(client: PostgresClient): Promise<readonly Sample[]> {
    const { rows } = await client.query<Sample>(
        "select pid, began::text, max(ms) as ms from pg_temp.sample_lock_waits() group by 1, 2",
    );
    return rows;
}

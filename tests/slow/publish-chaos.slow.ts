import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { bundleScript } from "../publish/bundle-script.ts";
import { longestExplainedMs } from "../publish/lock-waits.ts";
import {
    type Publisher,
    type PublisherEnd,
    type PublisherOrder,
    startPublisher,
} from "../publish/publishers.ts";
import { makeControl } from "../publish/read-patterns.ts";
import { describeReport } from "../publish/readers.ts";
import { withReaderProcess } from "../publish/with-reader-process.ts";
import { fillStable, publish, withMemoryWarehouse } from "../publish/world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("chaos");
});
afterAll(() => database.drop());

/** So many publishers die by SIGKILL; those that were done before it came are not counted. */
const wantedKills = Number(process.env.CHAOS_KILLS ?? 220);
/** Small: what is tested is where it dies, not how much it carries. */
const rows = 300;

const beginning = ["preflight", "build", "load", "loaded"];
const ending = ["verify", "built", "swap", "swapped"];
const stepsOf = {
    swap: [...beginning, "index", "refresh", ...ending],
    diff: [...beginning, ...ending],
    rollback: ["rollback"],
};
const modes = ["swap", "diff", "swap", "diff", "rollback"] as const;

type Kill = Omit<PublisherOrder, "generation" | "rows">;

/** Before every step of both ways to publish, once for each table where a step has more than one. */
const exactKills: readonly Kill[] = (["swap", "diff"] as const).flatMap((mode) =>
    [...stepsOf[mode], "loaded"].map((step, position) => ({
        mode,
        lethal: { step, occurrence: position === stepsOf[mode].length ? 2 : 1 },
    })),
);

/** Sessions that get in the way, as production has them. */
async function disturb(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
        await withClient({ url: database.url, applicationName: "disturbance" }, async (client) => {
            await client.query("begin; select count(*) from public.starts, public.latest_starts limit 1");
            await sleep(Math.random() * 200);
            await client.query("commit");
            await client.query("vacuum analyze public.starts");
        });
        await sleep(Math.random() * 1000);
    }
}

/** How long the steps took until now, so that random kills hit them and not what comes after. */
const durations = new Map<string, number>();

/** Runs a publisher and kills it somewhere within a step chosen at random, if it is not done by then. */
async function runAndKill(publisher: Publisher, order: PublisherOrder): Promise<PublisherEnd> {
    if (order.lethal) return publisher.run(order);
    const steps = stepsOf[order.mode];
    const chosen = steps[Math.floor(Math.random() * steps.length)]!;
    let timer: NodeJS.Timeout | undefined;
    let last = { step: "", at: 0 };
    const end = await publisher.run(order, (step, kill) => {
        const now = performance.now();
        if (last.step) durations.set(`${order.mode} ${last.step}`, now - last.at);
        last = { step, at: now };
        const length = durations.get(`${order.mode} ${chosen}`) ?? 20;
        if (step === chosen) timer = setTimeout(kill, Math.random() * length);
    });
    clearTimeout(timer);
    return end;
}

/** What the killed publisher's lock connection held is free a moment later. */
async function waitForLock(client: PostgresClient): Promise<void> {
    for (;;) {
        const { rows: held } = await client.query(
            `select from pg_locks where locktype = 'advisory' and granted
             and database = (select oid from pg_database where datname = current_database())`,
        );
        if (held.length === 0) return;
        await sleep(5);
    }
}

async function inService(client: PostgresClient): Promise<number> {
    const { rows } = await client.query<{ generation: number }>(
        "select max(generation) as generation from public.starts",
    );
    return rows[0]!.generation;
}

test("publishers are killed at every step and at random moments while readers read, and no reader notices", {
    timeout: 3_600_000,
}, async () => {
    const [script, readerScript] = await Promise.all(
        ["publisher-process", "reader-process"].map(bundleScript),
    );
    const publishHere = (generation: number) =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, generation, rows);
            await publish({ url: database.url, warehouse });
        });
    await publishHere(1);
    await publishHere(2);
    await makeControl(database.url);
    const outcomes = { killed: 0, done: 0, failed: 0 };
    const killedAt = new Map<string, number>();
    const failures: string[] = [];
    const stopped = new AbortController();
    const disturbance = disturb(stopped.signal);
    const readers = { perPattern: 4, pauseMs: 120, measured: true };
    const report = await withReaderProcess(readerScript!, database.url, readers, () =>
        withClient({ url: database.url }, async (client) => {
            // The next one makes itself ready while the last one dies.
            let next = startPublisher(script!, database.url);
            const seen = new Set([await inService(client)]);
            for (let generation = 3; outcomes.killed < wantedKills; generation++) {
                const kill: Kill = exactKills[generation - 3] ?? { mode: modes[generation % modes.length]! };
                const publisher = next;
                next = startPublisher(script!, database.url);
                const { outcome, steps, errors } = await runAndKill(publisher, { ...kill, generation, rows });
                outcomes[outcome]++;
                if (outcome === "failed") failures.push(`${kill.mode}: ${errors}`);
                if (outcome === "killed") {
                    const where = `${kill.mode} ${steps.at(-1) ?? "start"}`;
                    killedAt.set(where, (killedAt.get(where) ?? 0) + 1);
                }
                await waitForLock(client);
                const isIn = await inService(client);
                if (kill.mode !== "rollback") {
                    if (outcome === "done") expect(isIn).toBe(generation);
                    if (kill.lethal && kill.lethal.step !== "swapped") expect(isIn).not.toBe(generation);
                    seen.add(generation);
                }
                expect(seen).toContain(isIn);
            }
            next.stop();
        }),
    );
    stopped.abort();
    await disturbance;
    console.log(
        `publishers: ${JSON.stringify(outcomes)}; killed in: ${JSON.stringify(Object.fromEntries(killedAt))}`,
    );
    console.log(`20 readers: ${describeReport(report)}`);
    expect(report).toMatchObject({ errors: [], empty: 0, mixed: 0 });
    await withClient({ url: database.url }, async (client) => {
        expect(report.locks!.longestMs).toBeLessThan(await longestExplainedMs(client, report.locks!));
        const { rows: swaps } = await client.query(
            `select count(*)::int as swaps, round(max(swap_milliseconds)::numeric, 1)::float8 as longest,
                    round(percentile_cont(0.5) within group (order by swap_milliseconds)::numeric, 1)::float8 as median
             from rebuild_meta.generation where swap_milliseconds > 0`,
        );
        console.log(`time of a swap under its locks, in ms: ${JSON.stringify(swaps[0])}`);
    });
    expect(failures).toEqual([]);
    expect(outcomes.killed).toBeGreaterThanOrEqual(wantedKills);
    // And the next publish goes through and leaves one archived generation.
    await publishHere(1_000_000);
    await withClient({ url: database.url }, async (client) => {
        const { rows: found } = await client.query(
            `select count(*)::int as copies from pg_class where relname = 'starts' and relkind = 'r'
             and relnamespace <> 'control'::regnamespace`,
        );
        expect(found[0]!.copies).toBe(2);
    });
});

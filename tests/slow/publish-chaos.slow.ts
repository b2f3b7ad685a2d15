import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { withReaders } from "../publish/readers.ts";
import { fillStable, publish, withMemoryWarehouse } from "../publish/world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("chaos");
});
afterAll(() => database.drop());

const kills = Number(process.env.CHAOS_KILLS ?? 200);
const script = fileURLToPath(new URL("../publish/publisher-process.ts", import.meta.url));

/** Publishes in a process of its own and kills it after so many milliseconds, if it still runs then. */
async function publishAndKill(generation: number, afterMs: number): Promise<"killed" | "done" | "failed"> {
    const child = spawn(
        process.execPath,
        // Every other one changes rows in place.
        [
            ...["--import", "tsx", script, database.url, String(generation), "never", "1"],
            generation % 2 === 0 ? "swap" : "diff",
        ],
        {
            stdio: ["ignore", "pipe", "ignore"],
        },
    );
    // The start of Node takes longer than the publish: time counts from the first step.
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    const timer = setTimeout(() => child.kill("SIGKILL"), afterMs);
    const [code, signal] =
        child.exitCode === null && child.signalCode === null
            ? ((await once(child, "exit")) as [number | null, NodeJS.Signals | null])
            : [child.exitCode, child.signalCode];
    clearTimeout(timer);
    return signal === "SIGKILL" ? "killed" : code === 0 ? "done" : "failed";
}

/** Sessions that get in the way, as production has them. */
async function disturb(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
        await withClient({ url: database.url, applicationName: "disturbance" }, async (client) => {
            await client.query("begin; select count(*) from public.starts, public.latest_starts");
            await sleep(Math.random() * 400);
            await client.query("commit");
            await client.query("vacuum analyze public.starts");
        });
        await sleep(Math.random() * 1500);
    }
}

test("publishers are killed at random moments while readers read, and no reader notices", {
    timeout: 3_600_000,
}, async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1);
        await publish({ url: database.url, warehouse });
    });
    const outcomes = { killed: 0, done: 0, failed: 0 };
    const stopped = new AbortController();
    const disturbance = disturb(stopped.signal);
    const report = await withReaders(database.url, { perPattern: 4 }, async () => {
        for (let generation = 2; generation < kills + 2; generation++) {
            outcomes[await publishAndKill(generation, Math.random() * 1500)]++;
        }
    });
    stopped.abort();
    await disturbance;
    const { errors, ...counts } = report;
    console.log(JSON.stringify({ ...outcomes, ...counts, errors: errors.length }));
    expect(errors).toEqual([]);
    expect(counts).toMatchObject({ empty: 0, mixed: 0 });
    expect(outcomes.failed).toBe(0);
    // And the next publish goes through and leaves one archived generation.
    await withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, 1_000_000);
        await publish({ url: database.url, warehouse });
    });
    await withClient({ url: database.url }, async (client) => {
        const { rows } = await client.query(
            `select count(*)::int as copies from pg_class where relname = 'starts' and relkind = 'r'`,
        );
        expect(rows[0]!.copies).toBe(2);
    });
});

import { readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import type { Outcome } from "../runner/command-line.ts";
import { until, withService } from "../serve/service-process.ts";
import { type LiveShop, withLiveShop } from "../status/live-shop.ts";

/** Repeatable: the faults of a run that failed can be had again. */
function randomNumbers(seed: number): () => number {
    let state = seed;
    return () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return state / 2 ** 31;
    };
}

const slowSource = `
alter table shop.shop_orders rename to all_orders;
create view shop.shop_orders as select * from shop.all_orders where pg_sleep(0.0003) is not null`;

const endAllSessions = `
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rebuild%'`;

type Fault = "none" | "SIGTERM" | "SIGKILL" | "sessions" | "twice" | "test";
const faults: readonly Fault[] = ["SIGTERM", "SIGKILL", "sessions", "none", "twice", "test"];

/** Exit codes that a fault may lead to; null: killed. A fault may also come too late. */
const allowed: Readonly<Record<Fault, readonly (number | null)[]>> = {
    none: [0],
    SIGTERM: [130, 0, null],
    SIGKILL: [null, 0],
    sessions: [0, 6],
    twice: [0, 3],
    test: [1],
};

async function runWithFault(shop: LiveShop, fault: Fault, afterMs: number): Promise<readonly Outcome[]> {
    const env = { TRIGGERED_BY: "cron", LOG_FORMAT: "json", LOG_LEVEL: "debug" };
    const args = fault === "test" ? ["run", "--vars", "{large_order: -1}"] : ["run"];
    let begun = false;
    const first = shop.run(args, {
        env,
        onOutput: (_, kill) => {
            if (begun) return;
            begun = true;
            if (fault === "SIGTERM" || fault === "SIGKILL") setTimeout(kill, afterMs, fault);
            if (fault === "sessions") setTimeout(() => void shop.query(endAllSessions), afterMs);
        },
    });
    if (fault !== "twice") return [await first];
    await sleep(afterMs);
    return Promise.all([first, shop.run(["run"], { env })]);
}

/** The shop as readers see it: whole, whatever happened. */
async function isWhole({ query }: LiveShop): Promise<void> {
    const [row] = await query(`
        select (select count(*)::int from customer_facts) as customers,
               (select sum(customers)::int from customer_summary) as summed`);
    expect(row).toEqual({ customers: 50, summed: 50 });
}

async function hasNoSecret(shop: LiveShop, printed: readonly string[]): Promise<void> {
    const { password } = new URL(shop.database.url);
    const entries = await readdir(join(shop.root, "target"), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.includes(".duckdb"));
    const kept = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
    const rows = await shop.query("select row_to_json(r)::text as text from rebuild_status r");
    const everything = [...printed, ...kept, ...rows.map(({ text }) => String(text))];
    expect(password.length).toBeGreaterThan(8);
    expect(everything.filter((text) => text.includes(password))).toEqual([]);
}

const failsOnDemand = {
    "tests/assertions/on_demand.sql":
        'select customer_id from {{ref "customer_orders"}} where {{var "large_order"}} < 0\n',
};

describe("many runs in a row, with faults", () => {
    test("under cron leave the published tables whole, a true status and nothing else behind", () =>
        withLiveShop(failsOnDemand, async (shop) => {
            await shop.query(slowSource);
            const random = randomNumbers(20_260_104);
            const counts: Record<string, number> = {};
            const printed: string[] = [];
            expect((await shop.run(["run"])).code).toBe(0);
            for (let round = 0; round < 8; round++) {
                const fault = faults[round % faults.length]!;
                const outcomes = await runWithFault(shop, fault, random() * 1500);
                for (const { code, stdout, stderr } of outcomes) {
                    printed.push(stdout, stderr);
                    expect(allowed[fault], `${fault}: ${stdout}${stderr}`).toContain(code);
                    counts[`${fault} ${code}`] = (counts[`${fault} ${code}`] ?? 0) + 1;
                    // Every line is JSON, but for the last one of a process that was killed.
                    const lines = `${stdout}${stderr}`.split("\n").slice(0, -1);
                    for (const line of code === null ? [] : lines.filter(Boolean)) JSON.parse(line);
                }
                await isWhole(shop);
            }
            console.log(JSON.stringify(counts));
            expect((await shop.run(["run"])).code).toBe(0);
            await shop.query(
                "update rebuild_status set updated_at = now() - interval '5 minutes' where completed_at is null",
            );
            expect((await shop.run(["run"])).code).toBe(0);
            const open = await shop.query(
                "select run_id, status from rebuild_status where completed_at is null",
            );
            expect(open).toEqual([]);
            const left = ["target", "target/spill", "target/runs"].flatMap((folder) =>
                readdirSync(join(shop.root, folder)),
            );
            expect(left.filter((name) => /\.part$|\.tmp$|^\d+-|^extract-|^warehouse\.2/.test(name))).toEqual(
                [],
            );
            const [sessions] = await shop.query(
                "select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name like 'rebuild%' and pid <> pg_backend_pid()",
            );
            expect(sessions!.open).toBe(0);
            await hasNoSecret(shop, printed);
        }));

    test("show a heartbeat while nothing moves", () =>
        withLiveShop({}, async (shop) => {
            const waiting = withClient({ url: shop.database.url }, async (client) => {
                await client.query("begin; lock table shop.shop_orders in access exclusive mode");
                await sleep(25_000);
                await client.query("rollback");
            });
            const running = shop.run(["run"]);
            const seen = new Set<string>();
            const watch = setInterval(async () => {
                const rows = await shop.query("select updated_at from rebuild_status").catch(() => []);
                for (const { updated_at: at } of rows) seen.add(String(at));
            }, 500);
            await waiting;
            clearInterval(watch);
            expect((await running).code).toBe(0);
            // Three changes at the start, and at 10 and 20 seconds although nothing changes.
            expect(seen.size).toBeGreaterThanOrEqual(3);
        }));

    test("under the service end each in its own way, and the service goes on", () =>
        withLiveShop(failsOnDemand, (shop) =>
            withService(shop, { args: ["--schedule", "*/2 * * * * *"] }, async ({ get, printed, stop }) => {
                await shop.query(slowSource);
                const ended = async () => {
                    const { text } = await get("/metrics");
                    const counted = [
                        ...text.matchAll(
                            /rebuild_runs_total\{exit_code="(\w+)",triggered_by="cron"\} (\d+)/g,
                        ),
                    ];
                    return Object.fromEntries(counted.map(([, code, count]) => [code, Number(count)]));
                };
                const total = (counts: Record<string, number>) =>
                    Object.values(counts).reduce((sum, one) => sum + one, 0);
                await until(ended, (counts) => (counts["0"] ?? 0) >= 1);
                const random = randomNumbers(4711);
                for (let round = 0; round < 4; round++) {
                    await sleep(random() * 1500);
                    if (round % 2 === 0) await shop.query(endAllSessions);
                    else {
                        const running = await until(
                            () => shop.read("status.json"),
                            ({ status }) =>
                                ["extracting", "transforming", "loading"].includes(String(status)),
                        );
                        try {
                            process.kill(Number(running.pid), "SIGKILL");
                        } catch {
                            // It ended in between.
                        }
                    }
                    await isWhole(shop);
                }
                const before = total(await ended());
                const after = await until(
                    ended,
                    (counts) => total(counts) >= before + 3 && (counts["0"] ?? 0) >= 3,
                );
                console.log(JSON.stringify(after));
                expect(after).toHaveProperty("SIGKILL");
                expect((await get("/healthz")).status).toBe(200);
                expect((await get("/status")).body).toMatchObject({ from: "database" });
                expect(await stop("SIGTERM")).toBe(0);
                await isWhole(shop);
                await hasNoSecret(shop, [printed()]);
            }),
        ));
});

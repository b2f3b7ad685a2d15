import { readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import type { Outcome } from "../runner/command-line.ts";
import { until, withService } from "../serve/service-process.ts";
import { type LiveShop, shopSettings, withLiveShop } from "../status/live-shop.ts";
import { type Fault, faults, randomNumbers, wrongPassword } from "./faults.ts";

const slowSource = `
alter table shop.shop_orders rename to all_orders;
create view shop.shop_orders as select * from shop.all_orders where pg_sleep(0.0003) is not null`;

const endAllSessions = `
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rebuild%'`;

/** The shop as readers see it: whole, whatever happened. */
async function isWhole({ query }: LiveShop): Promise<void> {
    const [row] = await query(`
        select (select count(*)::int from customer_facts) as customers,
               (select sum(customers)::int from customer_summary) as summed`);
    expect(row).toEqual({ customers: 50, summed: 50 });
}

async function hasNoSecret(shop: LiveShop, printed: readonly string[]): Promise<void> {
    const { password } = new URL(shop.database.url);
    const secrets = [password, wrongPassword];
    const entries = await readdir(join(shop.root, "target"), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.includes(".duckdb"));
    const kept = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
    const rows = await shop.query("select row_to_json(r)::text as text from rebuild_status r");
    const everything = [...printed, ...kept, ...rows.map(({ text }) => String(text))];
    expect(password.length).toBeGreaterThan(8);
    expect(everything.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
}

const chaos = {
    "tests/assertions/on_demand.sql":
        'select customer_id from {{ref "customer_orders"}} where {{var "large_order"}} < 0\n',
    "models/features/large.sql": 'select list(hash(range)) as all_of_them from range({{var "rows"}})\n',
    "rebuild.yml": shopSettings.replace("large_order: 100", "large_order: 100, rows: 10"),
    "profiles.yml": `
default: live
targets:
    live:
        source: { type: postgres, url: "\${SHOP_URL}", schema: shop }
        publish: { type: postgres, url: "\${SHOP_TARGET_URL}" }
        warehouse: { memory_limit: "\${SHOP_MEMORY:-1GB}", threads: 1 }
        hooks: [{ on: [success, failure, skipped], command: "\${SHOP_HOOK:-true}", timeout_seconds: 5 }]
`,
};

const endedAs = (code: number | null) =>
    code === 0 ? ["completed"] : code === 3 ? ["skipped"] : code === null ? allStates : ["failed"];
const allStates = ["starting", "extracting", "transforming", "loading", "refreshing", "completed", "failed"];

/** Each run that said who it is has a row that says how it ended; only one that was killed may be open. */
async function hasTrueStatus({ query }: LiveShop, { code, stdout }: Outcome): Promise<void> {
    const runId = /"run_id":"([^"]+)"/.exec(stdout)?.[1];
    if (runId === undefined) return;
    const rows = await query<{ status: string; ended: boolean }>(
        `select status, completed_at is not null as ended from rebuild_status where run_id = '${runId}'`,
    );
    // Killed before its first word, or kept from the database.
    if (rows.length === 0 && (code === null || code === 2)) return;
    expect(rows).toEqual([{ status: expect.any(String), ended: expect.any(Boolean) }]);
    expect(endedAs(code)).toContain(rows[0]!.status);
    if (code !== null) expect(rows[0]!.ended).toBe(true);
}

/** Files and tables that only a run under way may have. */
async function leftBehind({ root, query }: LiveShop): Promise<readonly string[]> {
    const files = ["target", "target/spill", "target/runs"]
        .flatMap((folder) => readdirSync(join(root, folder)))
        .filter((name) => /\.part$|\.tmp$|^\d+-|^extract-|^warehouse\.2|run\.lock\.json/.test(name));
    const tables = await query(
        "select relname as name from pg_class where relnamespace = 'rebuild_build'::regnamespace",
    );
    const sessions = await query(
        "select application_name as name from pg_stat_activity where datname = current_database() and application_name like 'rebuild%' and pid <> pg_backend_pid()",
    );
    return [...files, ...[...tables, ...sessions].map(({ name }) => String(name))];
}

const rounds = 20;

describe("many runs in a row, with faults", () => {
    test("under cron leave the published tables whole, a true status and nothing else behind", () =>
        withLiveShop(chaos, async (shop) => {
            await shop.query(slowSource);
            const random = randomNumbers(20_260_104);
            const counts: Record<string, number> = {};
            const printed: string[] = [];
            const runOnce = async ({ name, allowed, says = /^/, run }: Fault) => {
                // Something is new for each run, or there would be nothing to publish.
                await shop.query(
                    `update shop.all_orders set order_date = date '2024-01-01' + (order_id % (9 + ${printed.length} % 7))::int`,
                );
                const outcomes = await run(shop, random);
                for (const outcome of outcomes) {
                    const { code, stdout, stderr } = outcome;
                    printed.push(stdout, stderr);
                    expect(stdout + stderr, name).toMatch(says);
                    expect(allowed, `${name}: ${stdout}${stderr}`).toContain(code);
                    counts[`${name} ${code}`] = (counts[`${name} ${code}`] ?? 0) + 1;
                    // Every line is JSON, but for the last one of a process that was killed.
                    const lines = `${stdout}${stderr}`.split("\n").slice(0, code === null ? 0 : -1);
                    for (const line of lines.filter(Boolean)) JSON.parse(line);
                    await hasTrueStatus(shop, outcome);
                }
                await isWhole(shop);
            };
            const [none, ...others] = faults;
            await runOnce(none!);
            for (let round = 0; round < rounds; round++) {
                // Each in its turn, and then as it comes.
                const fault = others[round < others.length ? round : Math.floor(random() * others.length)]!;
                await runOnce(fault);
                if (round % 4 !== 3) continue;
                await runOnce(none!);
                expect(await leftBehind(shop), fault.name).toEqual([]);
            }
            console.log(JSON.stringify(counts));
            await shop.query(
                "update rebuild_status set updated_at = now() - interval '5 minutes' where completed_at is null",
            );
            await runOnce(none!);
            const open = await shop.query(
                "select run_id, status from rebuild_status where completed_at is null",
            );
            expect(open).toEqual([]);
            expect(await leftBehind(shop)).toEqual([]);
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
        withLiveShop(chaos, (shop) =>
            withService(
                shop,
                { args: ["--schedule", "*/3 * * * * *"] },
                async ({ get, post, printed, stop }) => {
                    await shop.query(slowSource);
                    const random = randomNumbers(4711);
                    const answers: Record<string, number> = {};
                    const ended = async () => {
                        const { text } = await get("/metrics");
                        const counted = [
                            ...text.matchAll(
                                /rebuild_runs_total\{exit_code="(\w+)",triggered_by="(\w+)"\} (\d+)/g,
                            ),
                        ];
                        return Object.fromEntries(
                            counted.map(([, code, by, count]) => [`${by} ${code}`, Number(count)]),
                        );
                    };
                    const wishes = [
                        {},
                        { publish: false },
                        { select: ["no_such_model"] },
                        { select: ["customer_orders+"] },
                    ];
                    for (let round = 0; round < 12; round++) {
                        const { status } = await post("/runs", wishes[round % wishes.length]);
                        answers[status] = (answers[status] ?? 0) + 1;
                        await sleep(random() * 1500);
                        if (round % 3 === 0) await shop.query(endAllSessions);
                        if (round % 3 === 1) await killRun(shop);
                        // Whatever is under way now: the next request meets none.
                        if (round % 2 === 0)
                            await until(
                                () => get("/status"),
                                ({ body }) => body.current === undefined,
                            );
                        if (round > 0) await isWhole(shop);
                    }
                    await until(
                        ended,
                        (counts) => (counts["cron 0"] ?? 0) >= 2 && (counts["api 0"] ?? 0) >= 1,
                    );
                    console.log(JSON.stringify({ answers, ended: await ended() }));
                    // One at a time: the schedule's or another request's was under way.
                    expect(Object.keys(answers).sort()).toEqual(["202", "409"]);
                    expect(Object.keys(await ended()).some((key) => key.endsWith("SIGKILL"))).toBe(true);
                    expect((await get("/healthz")).status).toBe(200);
                    expect((await get("/status")).body).toMatchObject({ from: "database" });
                    expect(await stop("SIGTERM")).toBe(0);
                    await isWhole(shop);
                    await hasNoSecret(shop, [printed()]);
                },
            ),
        ));
});

/** As the kernel does when memory is short: in the middle of whatever run comes next. */
async function killRun(shop: LiveShop): Promise<void> {
    const { pid } = await until(
        () => shop.read("status.json").catch(() => ({ status: "none", pid: 0 })),
        ({ status }) => ["extracting", "transforming", "loading"].includes(String(status)),
    );
    try {
        process.kill(Number(pid), "SIGKILL");
    } catch {
        // It ended in between.
    }
}

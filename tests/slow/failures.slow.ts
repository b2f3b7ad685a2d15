import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { serverOf } from "../postgres-server.ts";
import { type LiveShop, withLiveShop } from "../status/live-shop.ts";

/** Orders that take two seconds to read. */
const slowSource = `
alter table shop.shop_orders rename to all_orders;
create view shop.shop_orders as
    select * from shop.all_orders where pg_sleep(0.001) is not null`;

const session = (kind: string) => `
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and ${kind}`;
const copying = "query ilike 'copy%' and state = 'active' and query like '%shop_orders%'";
const lock = "application_name like 'rebuild lock%'";

/** Ends sessions of a kind as soon as there are any. */
async function endSessions({ query }: LiveShop, kind: string): Promise<void> {
    for (;;) {
        if ((await query(session(kind))).length > 0) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

describe("a database that goes away", () => {
    it("in mid-copy is read again from the start, under a lock taken anew", () =>
        withLiveShop({}, async (shop) => {
            await shop.query(slowSource);
            const running = shop.run(["run"]);
            await endSessions(shop, copying);
            await shop.query(session(lock));
            const { code, stdout } = await running;
            expect(stdout).toMatch(/Trying again in 1 s \(attempt 2 of 3\)/);
            expect(code).toBe(0);
            const [row] = await shop.query("select count(*)::int as customers from customer_facts");
            expect(row).toEqual({ customers: 50 });
        }));

    it("for good ends the run with a code of its own, and nothing is published", () =>
        withLiveShop({}, async (shop) => {
            await shop.query(slowSource);
            const running = shop.run(["run"]);
            await endSessions(shop, copying);
            const name = new URL(shop.database.url).pathname.slice(1);
            await withClient({ url: serverOf() }, async (client) => {
                await client.query(`alter database "${name}" with allow_connections false`);
                await client.query(
                    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
                );
            });
            const { code, stdout } = await running;
            expect(code).toBe(6);
            expect(stdout).toMatch(/Error: .*(terminat|not currently accepting|was lost)/);
            expect(stdout).toContain("Run again. Nothing was published.");
            expect(await shop.read("run_results.json")).toMatchObject({
                status: "failed",
                reason: "connection_lost",
            });
            expect(existsSync(join(shop.root, "target/warehouse.duckdb"))).toBe(false);
        }));

    it("while models are built costs no more than taking the lock again", () =>
        withLiveShop(
            { "models/features/slow.sql": "select count(*) as n from range(30000) a, range(60000) b\n" },
            async (shop) => {
                let ended = false;
                const { code, stdout } = await shop.run(["run"], {
                    onOutput: (text) => {
                        if (ended || !/build +\d+ models/.test(text)) return;
                        ended = true;
                        void shop.query(session(lock));
                    },
                });
                expect(stdout).toContain("took the publisher's lock again");
                expect(code).toBe(0);
            },
        ));
});

describe("a limit of the machine", () => {
    it("of memory has its own message and exit code", () =>
        withLiveShop(
            {
                "models/features/large.sql": "select list(range) as all_of_them from range(60000000)\n",
                "profiles.yml": `
default: files
targets:
    files:
        source: { type: postgres, url: "\${SHOP_URL}", schema: shop }
        warehouse: { memory_limit: 64MB, threads: 1 }
`,
            },
            async ({ run, read }) => {
                const { code, stdout } = await run(["run"]);
                expect(code).toBe(5);
                expect(stdout).toMatch(/raise memory_limit or lower threads and concurrency/);
                expect(await read("run_results.json")).toMatchObject({
                    reason: "out_of_memory",
                    exit_code: 5,
                });
            },
        ));

    const canMount = spawnSync("unshare", ["-m", "true"]).status === 0;
    it.skipIf(!canMount)("of the disk has its own message and exit code, and is survived", () =>
        withLiveShop(
            {
                "models/features/large.sql":
                    "select hash(range) as one, hash(range + 1) as other from range(6000000)\n",
            },
            async (shop) => {
                const program = join(import.meta.dirname, "../../bin/rebuild.js");
                const { status, stdout } = spawnSync(
                    "unshare",
                    [
                        "-m",
                        "sh",
                        "-c",
                        'mkdir target && mount -t tmpfs -o size=24m tmpfs target && exec "$@"',
                        "sh",
                        process.execPath,
                        program,
                        "run",
                        "--json",
                    ],
                    { cwd: shop.root, env: { ...process.env, ...shop.env }, encoding: "utf8" },
                );
                expect(status).toBe(4);
                expect(JSON.parse(stdout)).toMatchObject({ status: "failed", reason: "disk_full" });
                expect(await shop.query("select from pg_class where relname = 'customer_facts'")).toEqual([]);
            },
        ),
    );
});

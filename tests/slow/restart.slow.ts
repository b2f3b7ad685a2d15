import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverAccount } from "../../sandbox/postgres/account.ts";
import { prepareNatives } from "../../sandbox/postgres/natives.ts";
import { type RunningPostgres, startPostgres } from "../../sandbox/postgres.ts";
import { type LiveShop, withLiveShop } from "../status/live-shop.ts";

const slowSource = `
alter table shop.shop_orders rename to all_orders;
create view shop.shop_orders as select * from shop.all_orders where pg_sleep(0.002) is not null`;

/** Everything takes a second or two, so that the server goes in the middle of it. */
const slowly = {
    "models/marts/customer_summary.sql":
        'select currency, count(*) as customers from {{ref "customer_facts"}} where pg_sleep(0.03) is not null group by currency\n',
    "models/features/slow.sql": "select count(*) as n from range(30000) a, range(60000) b\n",
};

describe("a server that restarts", () => {
    let folder: string;
    let server: RunningPostgres;
    let control: (action: "restart" | "stop" | "start", mode: "fast" | "immediate") => Promise<void>;

    beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), "rebuild-restart-"));
        await chmod(folder, 0o755);
        server = await startPostgres({ dataDirectory: join(folder, "postgres") });
        const account = serverAccount();
        const { postgres } = await prepareNatives({ account, note: () => undefined });
        const pgCtl = join(dirname(postgres), "pg_ctl");
        control = async (action, mode) => {
            const started = await readFile(join(server.data, "postmaster.opts"), "utf8");
            const options = started.slice(started.indexOf(" ") + 1).trim();
            const how = action === "start" ? ["-o", options] : ["-m", mode];
            const log = join(server.data, "restart.log");
            await promisify(execFile)(pgCtl, [action, "-w", "-D", server.data, "-l", log, ...how], {
                cwd: server.data,
                ...(account && { uid: account.uid, gid: account.gid }),
            });
        };
    });
    afterAll(async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
    });

    /** A run during which the server is restarted or stopped, as soon as `moment` has been logged. */
    async function runThrough(
        shop: LiveShop,
        moment: RegExp,
        action: "restart" | "stop",
        mode: "fast" | "immediate",
    ) {
        let acted: Promise<void> | undefined;
        const outcome = await shop.run(["run"], {
            env: { LOG_FORMAT: "json", LOG_LEVEL: "debug" },
            onOutput: (text) => {
                // A moment later it is in the middle of it.
                if (moment.test(text)) acted ??= sleep(200).then(() => control(action, mode));
            },
        });
        expect(acted, outcome.stdout).toBeDefined();
        await acted;
        return outcome;
    }

    /** The table and the view of the same rows, and one generation in service; returns its number. */
    async function liveGeneration({ query }: LiveShop): Promise<number> {
        const [row] = await query<{ live: readonly number[] }>(`
            select (select count(*)::int from customer_facts) as customers,
                   (select sum(customers)::int from customer_summary) as summed,
                   (select array_agg(id::int) from rebuild_meta.generation where state = 'live') as live`);
        expect(row).toMatchObject({ customers: 50, summed: 50, live: [expect.any(Number)] });
        return row!.live[0]!;
    }

    const statuses = ({ query }: LiveShop) =>
        query("select status, completed_at is not null as ended from rebuild_status order by created_at");
    const completed = { status: "completed", ended: true };

    for (const mode of ["fast", "immediate"] as const) {
        it(`(${mode}) is waited for, wherever the run is: it reads, builds on or publishes anew`, () =>
            withLiveShop(
                slowly,
                async (shop) => {
                    await shop.query(slowSource);
                    const reading = await runThrough(
                        shop,
                        /"type":"node-start","name":"orders","kind":"source"/,
                        "restart",
                        mode,
                    );
                    expect(reading.stdout).toMatch(/Trying again in 1 s \(attempt 2 of 3\)/);
                    expect(reading.code, reading.stdout).toBe(0);
                    const first = await liveGeneration(shop);

                    await shop.query("delete from shop.all_orders where order_id > 300");
                    const building = await runThrough(
                        shop,
                        /"type":"node-start","name":"slow"/,
                        "restart",
                        mode,
                    );
                    expect(building.stdout).toContain("took the publisher's lock again");
                    expect(building.code, building.stdout).toBe(0);
                    const second = await liveGeneration(shop);
                    expect(second).toBeGreaterThan(first);

                    await shop.query("delete from shop.all_orders where order_id > 150");
                    const loading = await runThrough(
                        shop,
                        /"type":"publish-step".*"step":"load"/,
                        "restart",
                        mode,
                    );
                    expect(loading.code, loading.stdout).toBe(0);
                    expect(await liveGeneration(shop)).toBeGreaterThan(second);
                    expect(await statuses(shop)).toEqual([completed, completed, completed]);
                },
                { server: server.url },
            ));
    }

    it("for good ends the run with its own message and code; what was in service is, when it is back", () =>
        withLiveShop(
            slowly,
            async (shop) => {
                expect((await shop.run(["run"])).code).toBe(0);
                const before = await liveGeneration(shop);
                await shop.query("delete from shop.shop_orders where order_id > 300");
                const { code, stdout } = await runThrough(
                    shop,
                    /"type":"publish-step".*"step":"load"/,
                    "stop",
                    "immediate",
                );
                await control("start", "fast");
                expect(code, stdout).toBe(6);
                expect(stdout).toMatch(
                    /The database ended the session: it was restarted, or the network broke/,
                );
                expect(stdout).toContain('"reason":"connection_lost"');
                expect(await shop.read("run_results.json")).toMatchObject({
                    status: "failed",
                    reason: "connection_lost",
                    exit_code: 6,
                });
                expect(await liveGeneration(shop)).toBe(before);
                expect((await shop.run(["run"])).code).toBe(0);
                expect(
                    await shop.query(
                        "select count(*)::int as left from pg_tables where schemaname = 'rebuild_build'",
                    ),
                ).toEqual([{ left: 0 }]);
            },
            { server: server.url },
        ));
});

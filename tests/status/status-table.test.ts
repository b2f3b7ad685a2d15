import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDirectoryLock } from "../../runner/warehouse/directory-lock.ts";
import { withLiveShop } from "./live-shop.ts";

// Each waits more than it works.
describe.concurrent("the table rebuild_status", () => {
    it("has a run's phases, statuses, rows and end, and nobody but its owner may read it", () =>
        withLiveShop({}, async ({ run, query }) => {
            const { code, stdout } = await run(["run"], { env: { TRIGGERED_BY: "cron" } });
            expect(stdout).toContain("Done.");
            expect(code).toBe(0);
            const rows = await query("select * from public.rebuild_status");
            expect(rows).toMatchObject([
                {
                    status: "completed",
                    phase: "refresh",
                    phase_number: 5,
                    total_phases: 5,
                    triggered_by: "cron",
                    error_message: null,
                    message: "run done, generation 1 in service",
                },
            ]);
            expect(Number(rows[0]!.rows_processed)).toBeGreaterThan(2050);
            expect(rows[0]!.completed_at).not.toBeNull();
            const [table] = await query(`
                select relrowsecurity, (select count(*)::int from pg_policies where tablename = 'rebuild_status') as policies
                from pg_class where oid = 'public.rebuild_status'::regclass`);
            expect(table).toEqual({ relrowsecurity: true, policies: 0 });

            // What is unchanged would be no generation of its own.
            await query("update shop.shop_orders set order_date = '2024-01-01' where order_id > 1000");
            expect((await run(["run"])).stdout).toContain("generation 2 in service");
            expect((await run(["rollback"])).code).toBe(0);
            const states = await query("select status from rebuild_status order by created_at");
            expect(states.map(({ status }) => status)).toEqual(["completed", "completed", "rolled_back"]);
        }));

    it("ends the rows of runs that are silent and hold no lock, and no others", () =>
        withLiveShop({}, async ({ run, query }) => {
            await run(["publish"]);
            await query(`
                insert into rebuild_status (run_id, status, phase, phase_number, total_phases, triggered_by, updated_at)
                values ('dead-run', 'transforming', 'features', 3, 5, 'cron', now() - interval '2 minutes'),
                       ('live-run', 'transforming', 'features', 3, 5, 'cron', now() - interval '20 seconds'),
                       ('done-run', 'completed', 'refresh', 5, 5, 'cron', now() - interval '2 days')`);
            const { stdout } = await run(["run"]);
            expect(stdout).toContain("run dead-run had died without a word");
            const rows = await query(
                "select run_id, status, error_message from rebuild_status where run_id like '%-run' order by run_id",
            );
            expect(rows).toEqual([
                {
                    run_id: "dead-run",
                    status: "failed",
                    error_message: expect.stringContaining("died without a word"),
                },
                { run_id: "done-run", status: "completed", error_message: null },
                { run_id: "live-run", status: "transforming", error_message: null },
            ]);
        }));

    it("has a run that another one kept out as skipped", () =>
        withLiveShop({}, async ({ root, run, query }) => {
            const lock = { runId: "another-run", command: "rebuild run" };
            const outcome = await withDirectoryLock(join(root, "target"), lock, () => run(["run"]));
            expect(outcome.code).toBe(3);
            expect(await query("select status, error_message from rebuild_status")).toEqual([
                { status: "skipped", error_message: expect.stringContaining("another-run") },
            ]);
        }));

    it("is written at most once a second, however much happens", () =>
        withLiveShop({}, async ({ run, query }) => {
            await run(["publish"]);
            await query(`
                create table writes (at timestamptz, ended boolean);
                create function note_write() returns trigger language plpgsql as $$
                begin insert into writes values (clock_timestamp(), new.completed_at is not null); return new; end $$;
                create trigger note_write after insert or update on rebuild_status
                    for each row execute function note_write()`);
            await query(`
                alter table shop.shop_orders rename to all_orders;
                create view shop.shop_orders as select * from shop.all_orders where pg_sleep(0.001) is not null`);
            expect((await run(["run"])).code).toBe(0);
            const rows = await query<{ pause: number | null }>(`
                select extract(epoch from at - lag(at) over (order by at))::float8 as pause from writes where not ended`);
            const pauses = rows.flatMap(({ pause }) => pause ?? []);
            expect(pauses.length).toBeGreaterThan(0);
            // A write may wait for the server, and the next one does not: hence not quite a second.
            expect(Math.min(...pauses)).toBeGreaterThan(0.8);
        }));

    it("never fails a run, whatever is wrong with it", () =>
        withLiveShop({}, async ({ run, query }) => {
            await query("create table rebuild_status (run_id text, mood text)");
            const { code, stdout } = await run(["run"]);
            expect(code).toBe(0);
            expect(
                stdout.match(/the status of this run cannot be written, which does not stop it/g),
            ).toHaveLength(1);
        }));
});

describe.concurrent("TEST_MODE", () => {
    it("walks through all phases and statuses, and extracts, builds and publishes nothing", () =>
        withLiveShop({}, async ({ root, run, query }) => {
            const seen: string[] = [];
            const watch = setInterval(async () => {
                const rows = await query<{ shown: string }>(
                    "select concat_ws(' ', status, phase_number, phase) as shown from rebuild_status",
                ).catch(() => []);
                for (const { shown } of rows) if (!seen.includes(shown)) seen.push(shown);
            }, 150);
            const { code } = await run(["run"], { env: { TEST_MODE: "true" } });
            clearInterval(watch);
            expect(code).toBe(0);
            const [row] = await query<{ run_id: string; status: string }>(
                "select run_id, status from rebuild_status",
            );
            expect(row).toMatchObject({ status: "completed", run_id: expect.stringMatching(/-test$/) });
            expect(seen.filter((shown) => !shown.startsWith("completed"))).toEqual([
                "starting 1 extract",
                "extracting 1 extract",
                "transforming 2 staging",
                "transforming 3 features",
                "loading 4 marts",
                "refreshing 5 refresh",
            ]);
            expect(existsSync(join(root, "target/warehouse.duckdb"))).toBe(false);
            expect(await query("select from pg_class where relname = 'customer_facts'")).toEqual([]);
        }));
});

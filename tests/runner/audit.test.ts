import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../runner/status/events.ts";
import { auditReport } from "../../runner/testing/replay/audit-report.ts";
import { chooseDays } from "../../runner/testing/replay/choose-days.ts";
import { planAudit } from "../../runner/testing/replay/plan-audit.ts";
import { runAudit } from "../../runner/testing/replay/run-audit.ts";
import { shopProject } from "./build-fixture.ts";
import { asOfModel, tinySources, withTinyBuild } from "./replay-fixture.ts";

const busy = "insert into sources.races select 100 + i, date '2024-03-04', 1, null from range(3) r(i)";
const entered =
    "insert into sources.entries select 1000 + i, 100 + i % 3, 'h' || i, 50, i % 4 + 1, 'FINISHED' from range(12) r(i)";

describe("the days that are replayed", () => {
    const choose = (days: number, seed = 1) =>
        withTinyBuild({}, [busy, entered], (warehouse) => chooseDays(warehouse, tinySources, { days, seed }));

    test("are the first, the last and the busiest with results, and others by the seed", async () => {
        const chosen = await choose(5);
        expect(chosen.map(({ why }) => why).sort()).toEqual(["busiest", "drawn", "drawn", "first", "last"]);
        expect(chosen.map(({ day }) => day)).toEqual(chosen.map(({ day }) => day).sort());
        const dayOf = (why: string) => chosen.find((one) => one.why === why)?.day;
        expect([dayOf("first"), dayOf("busiest"), dayOf("last")]).toEqual([
            "2024-03-01",
            "2024-03-04",
            "2024-03-10",
        ]);
        expect(await choose(5)).toEqual(chosen);
        const drawn = await Promise.all([1, 2, 3, 4].map((seed) => choose(5, seed)));
        expect(new Set(drawn.map((days) => JSON.stringify(days))).size).toBeGreaterThan(1);
    });

    test("are all there are when more are wanted", async () => {
        expect(await choose(50)).toHaveLength(10);
        expect((await choose(1)).map(({ why }) => why)).toEqual(["last"]);
    });

    test("are cut, the last one removed, and in place of that the busiest replaced and reordered", async () => {
        const kinds = planAudit(await choose(5)).map(({ why, perturbation }) => `${why} ${perturbation}`);
        expect(kinds.sort()).toEqual([
            "busiest reordered",
            "busiest replaced",
            "drawn cut",
            "drawn cut",
            "first cut",
            "last removed",
        ]);
        expect(planAudit(await choose(2), ["replaced"]).map(({ perturbation }) => perturbation)).toEqual([
            "replaced",
            "replaced",
        ]);
    });
});

describe("an audit", () => {
    const audit = (column: string) =>
        withTinyBuild(
            { first: asOfModel("weight"), second: asOfModel(column) },
            [],
            async (warehouse, compiled) => {
                const events: RunEvent[] = [];
                const plan = planAudit(await chooseDays(warehouse, tinySources, { days: 4, seed: 1 }));
                const done = await runAudit({
                    project: { ...shopProject("/nowhere"), sources: tinySources },
                    compiled,
                    warehouse,
                    plan,
                    seed: 1,
                    traceSeconds: 20,
                    report: (event) => events.push(event),
                    signal: new AbortController().signal,
                });
                return { ...done, events };
            },
        );
    const occasion = {
        runId: "20240601T000000-0001",
        target: "test",
        version: "1.0.0",
        command: "audit --days 4",
    };

    test("that passes says what was declared, done, compared, and how to repeat it", async () => {
        const { audit: passed, results } = await audit("prize");
        expect(passed.passed).toBe(true);
        expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["success"]));
        const page = auditReport(passed, occasion);
        expect(page).toMatch(/^PASSED. 5 replays, [\d,]+ rows, [\d,]+ values compared: none differs.$/m);
        expect(page).toContain(
            "entries: known after races.race_date: place, status; but status before, where it is",
        );
        expect(page).toContain("times: known after races.race_date, as a whole");
        expect(page).toContain("horses: no clock: known always");
        expect(page).toMatch(/^2024-03-10 +last +whole +removed +2 +\d+ +\d+ +[\d.]+ +equal$/m);
        expect(page).toContain("rebuild audit --days 4");
        expect(page.split("\n").length).toBeLessThan(60);
    });

    test("that fails names model, columns, rows, an example and the event, once", async () => {
        const { audit: failed, results, events } = await audit("place");
        expect(failed.passed).toBe(false);
        expect(results.every(({ status }) => status === "failed")).toBe(true);
        const page = auditReport(failed, occasion);
        expect(page).toMatch(/^FAILED\. 5 of 5 replays differ\.$/m);
        expect(page).toMatch(/second \(models\/second\.sql\) differs in place \(\d rows\)/);
        expect(page).toMatch(
            /race_id \d+, horse h\d of 2024-03-\d\d: place is \d in the full build, and NULL when replayed/,
        );
        expect(page.match(/it comes from races race_id \d+ of \S+: its own/g)!.length).toBeGreaterThanOrEqual(
            1,
        );
        expect(page).not.toContain("first (models/first.sql)");
        expect(events.filter(({ type }) => type === "node-end")).toHaveLength(5);
    });

    test("stops when it is interrupted, and leaves no scratch database", async () => {
        await withTinyBuild({ first: asOfModel("weight") }, [], async (warehouse, compiled) => {
            const controller = new AbortController();
            const plan = planAudit(await chooseDays(warehouse, tinySources, { days: 4, seed: 1 }));
            const running = runAudit({
                project: { ...shopProject("/nowhere"), sources: tinySources },
                compiled,
                warehouse,
                plan,
                seed: 1,
                traceSeconds: 0,
                report: ({ type }) => type === "node-end" && controller.abort(new Error("stop")),
                signal: controller.signal,
            });
            await expect(running).rejects.toThrow("stop");
            const left = await warehouse.rows(
                "select database_name from duckdb_databases() where database_name like 'scratch%'",
            );
            expect(left).toEqual([]);
        });
    });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { currentRun, estimateEnd, judgeRuns, type SeenRun } from "../../runner/status/seen-run.ts";
import { withLiveShop } from "./live-shop.ts";

const now = new Date("2026-03-15T12:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000).toISOString();

function seen(runId: string, change: Partial<SeenRun> = {}): SeenRun {
    return {
        runId,
        status: "completed",
        phase: "refresh",
        phaseNumber: 5,
        totalPhases: 5,
        message: "",
        rowsProcessed: 0,
        errorMessage: null,
        durationSeconds: 100,
        triggeredBy: "cron",
        createdAt: daysAgo(1),
        updatedAt: daysAgo(1),
        completedAt: daysAgo(1),
        isSilent: false,
        ...change,
    };
}

const week = 8 * 86_400;
const running = { status: "transforming", completedAt: null } as const;

describe("whether all is well", () => {
    it.each([
        ["the last run completed", [seen("a")], week, "ok"],
        [
            "the last run failed",
            [seen("b", { status: "failed", errorMessage: "no\nmore" }), seen("a")],
            week,
            "failed",
        ],
        ["a run is under way after a good one", [seen("b", running), seen("a")], week, "ok"],
        ["the last run is silent", [seen("b", { ...running, isSilent: true }), seen("a")], week, "failed"],
        ["runs were skipped since", [seen("b", { status: "skipped" }), seen("a")], week, "ok"],
        ["a rollback came last", [seen("b", { status: "rolled_back" }), seen("a")], week, "ok"],
        ["the last success is old", [seen("a", { completedAt: daysAgo(9) })], week, "too old"],
        [
            "only a rehearsal is recent",
            [seen("b-test"), seen("a", { completedAt: daysAgo(9) })],
            week,
            "too old",
        ],
        ["nothing has run", [], week, "unknown"],
        ["nothing has ended", [seen("a", running)], undefined, "unknown"],
    ] as const)("is told when %s", (_, runs, maxAge, state) => {
        expect(judgeRuns(runs, now, maxAge).state).toBe(state);
    });

    it("comes with the end to be expected, by the median of the last five complete runs", () => {
        const durations = [90, 110, 5000, 100, 95, 10, 20];
        const runs = [
            seen("now", running),
            ...durations.map((durationSeconds, n) => seen(`r${n}`, { durationSeconds })),
        ];
        const current = currentRun(runs)!;
        expect(current.runId).toBe("now");
        expect(estimateEnd(current, runs)).toEqual(new Date(Date.parse(daysAgo(1)) + 100_000));
        expect(estimateEnd(current, [current])).toBeUndefined();
    });
});

describe("rebuild status", () => {
    it("shows the runs of the database and says by its exit code how things stand", () =>
        withLiveShop({}, async ({ run, query }) => {
            expect((await run(["status"])).code).toBe(2);
            await run(["run"], { env: { TRIGGERED_BY: "cron" } });
            const good = await run(["status", "--max-age", "8d"]);
            expect(good.stdout).toMatch(
                /completed +5\/5 refresh .* cron +run done, generation 1 in service\n\nOK: run/,
            );
            expect(good.code).toBe(0);
            await query("update rebuild_status set completed_at = now() - interval '9 days'");
            const old = await run(["status", "--max-age", "8d", "--json"]);
            expect(old.code).toBe(1);
            expect(JSON.parse(old.stdout)).toMatchObject({
                verdict: { state: "too old" },
                from: "database",
                runs: [{ status: "completed", triggered_by: "cron" }],
            });
            expect((await run(["status", "--max-age", "soon"])).code).toBe(2);
        }));

    it("follows a run to its end with --watch", () =>
        withLiveShop({}, async ({ run }) => {
            let watching: ReturnType<typeof run> | undefined;
            await run(["run"], {
                env: { TEST_MODE: "true" },
                onOutput: (text) => {
                    if (text.includes("test mode: nothing")) watching ??= run(["status", "--watch"]);
                },
            });
            const { stdout, code } = await watching!;
            expect(stdout).toMatch(/\[.*\] phase \d of 5, \w+: test mode: \w+\nunder way for/);
            // A rehearsal is no rebuild: whether all is well is as unknown as before.
            expect(code).toBe(2);
        }));
});

describe("the REST API", () => {
    it("takes the status when the database does not answer, and gives it back", () =>
        withLiveShop({}, async ({ run }) => {
            const rows = new Map<string, Record<string, unknown>>();
            const keys = new Set<string>();
            const server = createServer((request, response) => {
                keys.add(`${request.headers.apikey} ${request.headers.authorization}`);
                let text = "";
                request.on("data", (part) => {
                    text += part;
                });
                request.on("end", () => {
                    expect(request.url).toMatch(/^\/rest\/v1\/rebuild_status\?/);
                    if (request.method === "POST") {
                        const row = JSON.parse(text);
                        rows.set(row.run_id, row);
                        return response.writeHead(201).end();
                    }
                    response.writeHead(200, { "content-type": "application/json" });
                    response.end(JSON.stringify([...rows.values()]));
                });
            });
            await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
            const env = {
                SHOP_TARGET_URL: "postgres://clerk:pw-unreachable@127.0.0.1:9/shop",
                SUPABASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
                SUPABASE_SERVICE_KEY: "service-key-0001",
            };
            const { code, stdout } = await run(["run"], { env });
            expect(code).toBe(2);
            expect(stdout).not.toContain("status of this run cannot be written");
            expect([...rows.values()]).toEqual([
                expect.objectContaining({
                    status: "failed",
                    error_message: expect.stringContaining(
                        "Cannot connect to postgres://clerk@127.0.0.1:9/shop",
                    ),
                    completed_at: expect.stringMatching(/^20/),
                }),
            ]);
            expect([...keys]).toEqual(["service-key-0001 Bearer service-key-0001"]);
            const seenThere = await run(["status", "--json"], { env });
            expect(JSON.parse(seenThere.stdout)).toMatchObject({
                from: "rest api",
                verdict: { state: "failed" },
            });
            server.close();
        }));
});

describe("logs for machines", () => {
    it("are JSON to the last line, with run, phase, model, duration and rows, whatever happens", () =>
        withLiveShop({}, async ({ run }) => {
            const log = { env: { LOG_FORMAT: "json", LOG_LEVEL: "debug" } };
            const ways = [
                await run(["run"], log),
                await run(["run", "--json"], log),
                await run(["run", "--select", "nothing"], log),
                await run(["run", "--no-such-option"], log),
                await run(["run"], { env: { ...log.env, TEST_MODE: "true" }, onOutput: stopOnce() }),
            ];
            const [good] = ways;
            const lines = ways.flatMap(({ stdout, stderr }, index) =>
                `${index === 1 ? "" : stdout}\n${stderr}`
                    .split("\n")
                    .filter((line) => line !== "")
                    .map((line) => JSON.parse(line)),
            );
            expect(ways.map(({ code }) => code)).toEqual([0, 0, 2, 2, 130]);
            for (const line of lines)
                expect(line).toMatchObject({ at: expect.any(String), level: expect.any(String) });
            const model = good!.stdout
                .split("\n")
                .find((line) => line.includes('"model":"customer_orders"'))!;
            expect(JSON.parse(model)).toMatchObject({
                run_id: expect.stringMatching(/^20/),
                phase: "features",
                phase_number: 3,
                model: "customer_orders",
                status: "success",
                rows: 50,
                duration_seconds: expect.any(Number),
            });
            expect(JSON.parse(good!.stdout.trim().split("\n").at(-1)!)).toMatchObject({
                type: "run-end",
                status: "success",
                exit_code: 0,
            });
        }));
});

/** Sends SIGTERM when the run has begun. */
function stopOnce() {
    let sent = false;
    return (text: string, kill: (signal: NodeJS.Signals) => void) => {
        if (sent || !text.includes("test mode")) return;
        sent = true;
        kill("SIGTERM");
    };
}

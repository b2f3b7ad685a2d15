import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { shopSettings, withLiveShop } from "../status/live-shop.ts";
import { readEvents, token, until, withService } from "./service-process.ts";

// Each waits more than it works.
describe.concurrent("rebuild serve", () => {
    it("starts a run, tells of it while it goes on, keeps its record, and rolls it back", () =>
        withLiveShop({}, (shop) =>
            withService(shop, {}, async ({ get, post, url, printed }) => {
                expect((await get("/healthz")).body).toEqual({ status: "ok" });
                expect((await get("/readyz")).status).toBe(200);
                expect((await get("/status")).body).toMatchObject({ verdict: { state: "unknown" } });

                const started = await post("/runs");
                expect(started.status).toBe(202);
                const runId = String(started.body.run_id);
                const second = await post("/runs", { select: ["customer_facts"] });
                expect(second).toMatchObject({ status: 409, body: { error: "busy", run_id: runId } });

                const events = await readEvents(`${url}/runs/${runId}/events`);
                const types = events.map(({ type }) => type);
                expect(types.slice(-2)).toEqual(["run-end", "end"]);
                expect(types).toEqual(
                    expect.arrayContaining(["run-start", "phase-start", "node-end", "publish-step"]),
                );
                const numbers = events.flatMap(({ data }) =>
                    data.progress ? [(data.progress as { phase_number: number }).phase_number] : [],
                );
                expect(numbers).toEqual([...numbers].sort());
                expect(events.at(-1)!.data).toMatchObject({ run_id: runId, status: "success" });
                expect(printed()).toContain("OK created");

                const record = await get(`/runs/${runId}`);
                expect(record.body).toMatchObject({ status: "success", triggered_by: "api", exit_code: 0 });
                const back = await post("/rollback", { to: 77 });
                expect(back.status).toBe(202);
                await readEvents(`${url}/runs/${back.body.run_id}/events`);
                const { body } = await until(
                    () => get("/runs?limit=2"),
                    (answer) => (answer.body.runs as { run_id: string }[])[0]?.run_id === back.body.run_id,
                );
                expect(body).toMatchObject({
                    from: "database",
                    runs: [
                        { status: "failed", triggered_by: "api" },
                        { run_id: runId, status: "completed" },
                    ],
                });
                const metrics = (await get("/metrics")).text;
                expect(metrics).toContain('rebuild_runs_total{exit_code="0",triggered_by="api"} 1');
                expect(metrics).toMatch(/rebuild_last_success_timestamp_seconds 1\d{9}/);
                expect(metrics).toMatch(/rebuild_run_in_progress 0/);
            }),
        ));

    it("refuses what is wrong with a request, and says what", () =>
        withLiveShop({}, (shop) =>
            withService(shop, {}, async ({ get, post, url, printed }) => {
                for (const authorization of [
                    undefined,
                    "Bearer ",
                    `Bearer ${token}x`,
                    `Basic ${token}`,
                    token,
                ]) {
                    const headers = authorization === undefined ? {} : { authorization };
                    expect((await post("/runs", {}, headers)).status).toBe(401);
                    expect((await post("/rollback", {}, headers)).status).toBe(401);
                }
                expect(
                    await post("/runs", { selct: ["x"], publish: "perhaps", overrides: ["all"] }),
                ).toMatchObject({
                    status: 400,
                    body: {
                        error: "invalid",
                        message: expect.stringMatching(/additional properties.*boolean.*allowed/),
                    },
                });
                expect((await post("/runs", "{")).status).toBe(400);
                expect((await post("/rollback", { to: -1 })).status).toBe(400);
                expect((await post("/runs", { select: ["x".repeat(20_000)] })).status).toBe(413);
                // Without a token not even the body is read.
                expect((await post("/runs", "x".repeat(20_000), {})).status).toBe(401);
                expect((await get("/runs?limit=1000")).status).toBe(400);
                expect((await get("/runs/no-such-run")).status).toBe(404);
                expect((await get("/runs/no-such-run/events")).status).toBe(404);
                expect((await get("/runs/..%2F..%2Fprofiles")).status).toBe(400);
                expect((await get("/nothing")).status).toBe(404);

                const { body } = await get("/openapi.json");
                expect(Object.keys(body.paths as object)).toEqual(
                    expect.arrayContaining(["/runs", "/rollback", "/runs/{run_id}/events", "/metrics"]),
                );

                // An option in a value stays a value: nothing is selected by it, and nothing overridden.
                const started = await post("/runs", { select: ["--override=row-count"] });
                const [last] = (await readEvents(`${url}/runs/${started.body.run_id}/events`)).slice(-1);
                expect(last!.data).toMatchObject({ status: "failed", exit_code: 2 });
                expect(printed()).toContain("--override=row-count");
                expect(printed()).not.toContain(token);
            }),
        ));

    it("wants the token for reading too, where the project says so", () =>
        withLiveShop(
            {
                "rebuild.yml": `${shopSettings}serve: { protect_reads: true }
`,
            },
            (shop) =>
                withService(shop, {}, async ({ get }) => {
                    for (const path of ["/status", "/runs", "/runs/x", "/metrics"]) {
                        expect((await get(path)).status).toBe(401);
                    }
                    expect((await get("/healthz")).status).toBe(200);
                    expect((await get("/status", { authorization: `Bearer ${token}` })).status).toBe(200);
                }),
        ));

    it("cuts off who sends slower than is allowed, a head or a body, and goes on", () =>
        withLiveShop({}, (shop) =>
            withService(shop, {}, async ({ get, url }) => {
                const { port, hostname } = new URL(url);
                const head = "POST /runs HTTP/1.1\r\nhost: x\r\n";
                const body = `authorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`;
                const closed = [head, head + body].map(async (begun) => {
                    const slow = connect(Number(port), hostname);
                    slow.on("error", () => undefined);
                    slow.write(begun);
                    slow.resume();
                    await once(slow, "close");
                });
                expect((await get("/healthz")).status).toBe(200);
                await Promise.all(closed);
                expect((await get("/runs")).body).toMatchObject({ runs: [] });
            }),
        ));

    it("stops its run and then itself, with nothing left behind", () =>
        withLiveShop({}, (shop) =>
            withService(shop, {}, async ({ get, post, stop }) => {
                const started = await post("/runs", { test_mode: true });
                const runId = String(started.body.run_id);
                await until(
                    () => get("/status"),
                    ({ body }) => (body.current as { phase_number?: number } | undefined)?.phase_number === 2,
                );
                expect(await stop("SIGTERM")).toBe(0);
                expect(await shop.read("runs", `${runId}.json`)).toMatchObject({
                    reason: "cancelled",
                    test_mode: true,
                });
                expect(await shop.query("select status from rebuild_status")).toEqual([{ status: "failed" }]);
            }),
        ));

    it("survives a run that is killed, and starts the next one", () =>
        withLiveShop({}, (shop) =>
            withService(shop, {}, async ({ get, post, url }) => {
                const started = await post("/runs", { test_mode: true });
                const runId = String(started.body.run_id);
                const { pid } = await until(
                    () => shop.read("status.json").catch(() => ({ pid: undefined })),
                    (status) => status.pid !== undefined,
                );
                process.kill(Number(pid), "SIGKILL");
                const events = await readEvents(`${url}/runs/${runId}/events`);
                expect(events.at(-1)!.data).toMatchObject({ status: "failed", reason: "died" });
                const next = await post("/runs", { publish: false });
                expect(next.status).toBe(202);
                const end = (await readEvents(`${url}/runs/${next.body.run_id}/events`)).at(-1)!;
                expect(end.data).toMatchObject({ status: "success" });
                expect((await get(`/runs/${runId}`)).body).toMatchObject({ reason: "died" });
            }),
        ));

    it("starts runs by its own schedule, one at a time", () =>
        withLiveShop({}, (shop) =>
            withService(
                shop,
                { args: ["--schedule", "* * * * * *"], env: { TEST_MODE: "true", LOG_FORMAT: "json" } },
                async ({ printed, get }) => {
                    await until(
                        async () => printed(),
                        (text) => text.includes("the schedule starts nothing"),
                    );
                    expect((await get("/status")).body).toMatchObject({
                        current: { triggered_by: "cron" },
                        next_run_at: expect.stringMatching(/^20/),
                    });
                    const lines = printed()
                        .trim()
                        .split("\n")
                        .map((line) => JSON.parse(line));
                    const messages = lines.map(({ message }) => String(message));
                    expect(
                        messages.filter((text) => text.startsWith("the schedule started run")),
                    ).toHaveLength(1);
                    expect(messages.some((text) => text.startsWith("the schedule starts nothing: run"))).toBe(
                        true,
                    );
                },
            ),
        ));
});

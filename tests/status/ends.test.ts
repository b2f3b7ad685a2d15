import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withLiveShop } from "./live-shop.ts";

const testMode = { env: { TEST_MODE: "true" } };
const slow = "models/features/slow.sql";
const slowSql = "select count(*) as n from range(300000) a, range(3000000) b\n";
const isBuilding = (text: string) => /build +\d+ models/.test(text);
const inPhase = (name: string) => new RegExp(`test mode: phase \\d of 5, ${name}`);

describe("a run that is stopped", () => {
    it("by SIGTERM is recorded as cancelled everywhere, and says so", () =>
        withLiveShop({}, async ({ run, query, read }) => {
            const { code, stdout } = await run(["run"], {
                ...testMode,
                onOutput: (text, kill) => void (inPhase("features").test(text) && kill("SIGTERM")),
            });
            expect(code).toBe(130);
            expect(stdout).toContain("Interrupted, exit code 130");
            const cancelled = "cancelled: stopped by SIGTERM; nothing was published";
            expect(await query("select status, error_message, phase from rebuild_status")).toEqual([
                { status: "failed", error_message: cancelled, phase: "features" },
            ]);
            expect(await read("run_results.json")).toMatchObject({
                status: "interrupted",
                reason: "cancelled",
                error: cancelled,
            });
            expect(await read("status.json")).toMatchObject({ status: "failed" });
        }));

    it("by SIGKILL is recorded, and cleaned up after, by the next one", () =>
        withLiveShop({ [slow]: slowSql }, async ({ root, run, read, query }) => {
            const killed = await run(["run"], {
                onOutput: (text, kill) => {
                    if (!isBuilding(text)) return;
                    // A busy machine takes a while to write down that it builds.
                    const looking = setInterval(() => {
                        if (!existsSync(join(root, "target/status.json"))) return;
                        clearInterval(looking);
                        setTimeout(kill, 1500, "SIGKILL");
                    }, 50);
                },
            });
            expect(killed.code).toBeNull();
            const left = () =>
                ["target", "target/runs", "target/spill"]
                    .flatMap((folder) =>
                        existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [],
                    )
                    .filter((name) => /^warehouse\..+\.duckdb|\.part$|^\d+-/.test(name));
            await writeFile(join(root, "target/run_results.json.4711.part"), "{");
            expect(left()).not.toEqual([]);
            const { runId } = await read("status.json");
            expect(await query("select status from rebuild_status")).toEqual([{ status: "transforming" }]);

            await writeFile(join(root, slow), "select 1 as n\n");
            const next = await run(["run"]);
            expect(next.code).toBe(0);
            expect(next.stdout).toContain(`run ${runId} had died without a word`);
            expect(await read("runs", `${runId}.json`)).toMatchObject({ status: "failed", reason: "died" });
            expect(left()).toEqual([]);
        }));
});

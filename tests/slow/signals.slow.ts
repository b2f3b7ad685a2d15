import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LiveShop, withLiveShop } from "../status/live-shop.ts";
import { withStallingProxy } from "../status/stalling-proxy.ts";
import { watchCpu } from "./stopped-process.ts";

const slowSource = `
alter table shop.shop_orders rename to all_orders;
create view shop.shop_orders as select * from shop.all_orders where pg_sleep(0.001) is not null`;

/** Every step takes a second or two. */
const slowly = {
    "package.json": '{ "type": "module" }\n',
    "models/features/slow.sql": "select count(*) as n from range(30000) a, range(60000) b\n",
    // Sorted and stored for a while: what ends only when DuckDB looks up.
    "models/features/wide.sql":
        "select hash(range) as one, range::varchar || hash(range) as other from range(6000000) order by one\n",
    // A rating that thinks for long between two chunks.
    "models/features/thinker.ts": `
export default {
    refs: ["stg_customers"],
    columns: { n: "integer" },
    async run({ read, ref, write }) {
        for await (const _ of read(\`select * from \${ref("stg_customers")}\`)) {
            for (let round = 0; round < 60; round++) {
                for (let until = Date.now() + 10; Date.now() < until; );
                await new Promise((resolve) => setImmediate(resolve));
            }
        }
        await write({ rowCount: 1, columns: { n: { values: Int32Array.of(1) } } });
    },
};
`,
    "tests/assertions/slow_too.sql":
        'select count(*) as n from range(20000) a, range(60000) b where {{var "large_order"}} < 0 having n > 0\n',
    "models/marts/customer_summary.sql":
        'select currency, count(*) as customers from {{ref "customer_facts"}} where pg_sleep(0.03) is not null group by currency\n',
};

const hooked = `
default: live
targets:
    live:
        source: { type: postgres, url: "\${SHOP_URL}", schema: shop }
        publish: { type: postgres, url: "\${SHOP_TARGET_URL}" }
        hooks: [{ on: [success], command: "\${SHOP_HOOK:-true}", timeout_seconds: 60 }]
`;

const moments: Readonly<Record<string, RegExp>> = {
    "the first lines": /"type":"run-start"/,
    extraction: /"type":"node-start","name":"orders","kind":"source"/,
    "a query that computes": /"type":"node-start","name":"slow"/,
    "a query that sorts and stores": /"type":"node-start","name":"wide"/,
    "a model in TypeScript": /"type":"node-start","name":"thinker"/,
    tests: /"type":"phase-start".*"step":"test"/,
    loading: /"type":"publish-step".*"step":"load"/,
    "the refresh of views": /"type":"publish-step".*"step":"loaded"/,
};

/** A run has done its work here, or nearly: it may end as if there had been no signal. */
const lastMoments: Readonly<Record<string, RegExp>> = {
    verification: /"type":"publish-step".*"step":"verify"/,
    "the swap": /"type":"publish-step".*"step":"swap"/,
    "what follows the swap": /"type":"publish-step".*"step":"swapped"/,
    "the last line": /"type":"run-end"/,
};

interface StopOptions {
    readonly url?: string;
    readonly before?: () => void;
    /** Between the moment and the signal. */
    readonly afterMs?: number;
    readonly env?: Readonly<Record<string, string>>;
}

/** How long a run takes to end after a signal that comes `afterMs` after a moment. */
async function stopAt(shop: LiveShop, moment: RegExp, options: StopOptions = {}) {
    let sentAt: number | undefined;
    let usedCpu = () => 0;
    const { url, before, afterMs = 150, env } = options;
    const outcome = await shop.run(["run"], {
        env: {
            LOG_FORMAT: "json",
            LOG_LEVEL: "debug",
            ...(url !== undefined && { SHOP_URL: url, SHOP_TARGET_URL: url }),
            ...env,
        },
        onOutput: (text, kill, pid) => {
            if (sentAt !== undefined || !moment.test(text)) return;
            sentAt = Number.POSITIVE_INFINITY;
            before?.();
            setTimeout(() => {
                sentAt = performance.now();
                usedCpu = watchCpu(pid);
                kill("SIGTERM");
            }, afterMs);
        },
    });
    return { ...outcome, milliseconds: Math.round(performance.now() - sentAt!), cpuSeconds: usedCpu() };
}

function leftBehind({ root }: LiveShop): readonly string[] {
    return ["target", "target/spill", "target/runs"]
        .filter((folder) => existsSync(join(root, folder)))
        .flatMap((folder) => readdirSync(join(root, folder)))
        .filter((name) => /\.part$|\.tmp$|^\d+-|^extract-|^warehouse\.2|run\.lock\.json/.test(name));
}

/**
 * A second is promised, and printed here what it took. The limit is what no machine needs unless something waits for
 * a patience of its own, which are five seconds and more.
 */
const limitMs = 4000;
/** What the process may use of a processor meanwhile, all its threads together: a query goes on for 0.4 s at most. */
const limitCpuSeconds = 1;

describe("SIGTERM", () => {
    it("ends a run wherever it is, recorded as cancelled, with nothing left behind", () =>
        withLiveShop(slowly, async (shop) => {
            await shop.query(slowSource);
            const took: Record<string, number> = {};
            for (const [name, moment] of Object.entries(moments)) {
                const { code, milliseconds, cpuSeconds, stdout, stderr } = await stopAt(shop, moment);
                took[name] = milliseconds;
                expect(code, `${name}: ${stdout}${stderr}`).toBe(130);
                expect(milliseconds, name).toBeLessThan(limitMs);
                expect(cpuSeconds, name).toBeLessThan(limitCpuSeconds);
                expect(leftBehind(shop), name).toEqual([]);
                expect(await shop.read("run_results.json")).toMatchObject({
                    reason: "cancelled",
                    exit_code: 130,
                });
                const lines = stdout.trim().split("\n");
                expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: "run-end", status: "interrupted" });
            }
            console.log(JSON.stringify(took));
            const rows = await shop.query(
                "select distinct status, split_part(error_message, ';', 1) as why from rebuild_status",
            );
            expect(rows).toEqual([{ status: "failed", why: "cancelled: stopped by SIGTERM" }]);
            expect(await shop.query("select to_regclass('public.customer_facts') as facts")).toEqual([
                { facts: null },
            ]);
        }));

    it("ends a run in its last moments as what it has become by then, its hooks included", () =>
        withLiveShop({ ...slowly, "profiles.yml": hooked }, async (shop) => {
            const took: Record<string, string> = {};
            for (const [name, moment] of Object.entries(lastMoments)) {
                // Something is new for each run, or there would be nothing to publish.
                await shop.query("update shop.shop_orders set total = total + 1");
                const { code, milliseconds, cpuSeconds, stdout, stderr } = await stopAt(shop, moment, {
                    afterMs: 0,
                });
                took[name] = `${code} after ${milliseconds}`;
                expect([0, 130], `${name}: ${stdout}${stderr}`).toContain(code);
                expect(milliseconds, name).toBeLessThan(limitMs);
                expect(cpuSeconds, name).toBeLessThan(limitCpuSeconds);
                expect(leftBehind(shop), name).toEqual([]);
                const { exit_code, status } = await shop.read("run_results.json");
                expect({ exit_code, status }).toEqual({
                    exit_code: code,
                    status: code === 0 ? "success" : "interrupted",
                });
            }
            await shop.query("update shop.shop_orders set total = total + 1");
            const { code, milliseconds } = await stopAt(shop, lastMoments["the last line"]!, {
                env: { SHOP_HOOK: "sleep 60" },
            });
            console.log(JSON.stringify({ ...took, "a hook": `${code} after ${milliseconds}` }));
            expect(code).toBe(0);
            // Five seconds are the hook's.
            expect(milliseconds).toBeLessThan(5000 + limitMs);
        }));

    it("ends a run whose database no longer answers", () =>
        withLiveShop(slowly, (shop) =>
            withStallingProxy(shop.database.url, async ({ url, stall, resume }) => {
                await shop.query(slowSource);
                const took: Record<string, number> = {};
                const all = { ...moments, ...lastMoments };
                for (const name of ["extraction", "a query that computes", "loading", "verification"]) {
                    resume();
                    const { code, milliseconds } = await stopAt(shop, all[name]!, { url, before: stall });
                    took[name] = milliseconds;
                    expect(code).toBe(130);
                    expect(milliseconds, name).toBeLessThan(limitMs);
                    expect(leftBehind(shop)).toEqual([]);
                    expect(await shop.read("status.json")).toMatchObject({ status: "failed" });
                }
                console.log(JSON.stringify(took));
            }),
        ));
});

import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Outcome } from "../runner/command-line.ts";
import type { LiveShop } from "../status/live-shop.ts";
import { withStallingProxy } from "../status/stalling-proxy.ts";

/** Repeatable: the faults of a run that failed can be had again. */
export function randomNumbers(seed: number): () => number {
    let state = seed;
    return () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return state / 2 ** 31;
    };
}

export const wrongPassword = "quite-another-password";

/** Something that goes wrong with one run. */
export interface Fault {
    readonly name: string;
    /** Exit codes that it may lead to; null: killed. It may also come too late, or be survived. */
    readonly allowed: readonly (number | null)[];
    /** What it tells of itself. */
    readonly says?: RegExp;
    /** `random` is between 0 and 1. */
    run(shop: LiveShop, random: () => number): Promise<readonly Outcome[]>;
}

const env = { TRIGGERED_BY: "cron", LOG_FORMAT: "json", LOG_LEVEL: "debug" };
/** About as long as a run of the slow shop takes on a machine with other work. */
const runMs = 2500;

const signalled = (signal: NodeJS.Signals): Fault["run"] => {
    return async (shop, random) => {
        const afterMs = random() * runMs;
        let begun = false;
        const outcome = shop.run(["run"], {
            env,
            onOutput: (_, kill) => {
                if (!begun) setTimeout(kill, afterMs, signal);
                begun = true;
            },
        });
        return [await outcome];
    };
};

const withSettings = (own: Readonly<Record<string, string>>, ...args: readonly string[]): Fault["run"] => {
    return async (shop) => [await shop.run(["run", ...args], { env: { ...env, ...own } })];
};

const endSessions = `
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rebuild%'`;

/** Rows of the model `large`: some 48 MB of memory, or of disk. */
const large = ["--vars", "{rows: 6000000}"];
const canMount = spawnSync("unshare", ["-m", "true"]).status === 0;

export const faults: readonly Fault[] = [
    { name: "none", allowed: [0], run: withSettings({}) },
    { name: "SIGTERM", allowed: [130, 0], run: signalled("SIGTERM") },
    { name: "SIGKILL", allowed: [null, 0], run: signalled("SIGKILL") },
    {
        name: "sessions ended",
        allowed: [0, 6],
        async run(shop, random) {
            const running = shop.run(["run"], { env });
            await sleep(700 + random() * runMs);
            await shop.query(endSessions);
            return [await running];
        },
    },
    {
        name: "two at once",
        allowed: [0, 3],
        async run(shop, random) {
            const first = shop.run(["run"], { env });
            await sleep(random() * runMs);
            return Promise.all([first, shop.run(["run"], { env })]);
        },
    },
    {
        name: "database that stands still",
        allowed: [0, 6],
        run: (shop, random) =>
            withStallingProxy(shop.database.url, async ({ url, stall, resume }) => {
                const slow = shop.run(["run"], { env: { ...env, SHOP_URL: url, SHOP_TARGET_URL: url } });
                await sleep(700 + random() * runMs);
                stall();
                await sleep(1500);
                resume();
                return [await slow];
            }),
    },
    {
        name: "a test that fails",
        allowed: [1],
        says: /test on_demand failed/,
        run: withSettings({}, "--vars", "{large_order: -1}"),
    },
    {
        name: "memory limit",
        allowed: [5],
        says: /raise memory_limit or lower threads and concurrency.*"reason":"out_of_memory"/s,
        run: withSettings({ SHOP_MEMORY: "32MB" }, ...large),
    },
    {
        name: "wrong password",
        allowed: [2],
        says: /the password was refused/,
        async run(shop, random) {
            const wrong = new URL(shop.database.url);
            wrong.password = wrongPassword;
            const which = random() < 0.5 ? { SHOP_URL: wrong.href } : { SHOP_TARGET_URL: wrong.href };
            return withSettings(which)(shop, random);
        },
    },
    {
        // It prints all that it is given, and its environment.
        name: "a hook that fails",
        allowed: [0],
        says: /hook on success, command .*the run's outcome stays as it is/,
        run: withSettings({ SHOP_HOOK: "cat >&2; env >&2; exit 3" }),
    },
    ...(canMount
        ? [{ name: "full disk", allowed: [4], says: /"reason":"disk_full"/, run: runOnFullDisk }]
        : []),
];

/** On a disk of its own that has 24 MB, in a mount of its own: what target/ holds is as before afterwards. */
function runOnFullDisk(shop: LiveShop): Promise<readonly Outcome[]> {
    const binary = fileURLToPath(new URL("../../bin/rebuild.js", import.meta.url));
    const script = 'mount -t tmpfs -o size=24m tmpfs target && exec "$@"';
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(
        "unshare",
        ["-m", "sh", "-c", script, "sh", process.execPath, binary, "run", ...large],
        {
            cwd: shop.root,
            env: { PATH, HOME, NO_COLOR: "1", ...shop.env, ...env },
            stdio: ["ignore", "pipe", "pipe"],
        },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
        stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
        stderr += text;
    });
    return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code) => resolve([{ code, stdout, stderr }]));
    });
}

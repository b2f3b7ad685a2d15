import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/**
 * Milliseconds of processor time: of all processes of the machine, and of this one with the Postgres server of
 * `backend`.
 */
function usedTimes(backend: number): { readonly all: number; readonly ours: number } {
    const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
    const { user, system } = process.cpuUsage();
    return { all, ours: (user + system) / 1000 + serverTime(backend) };
}

/** Of all processes of the server, by /proc; nothing where there is none. */
function serverTime(backend: number): number {
    const postmaster = readStat(backend)?.parent;
    if (postmaster === undefined) return 0;
    const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const times = processes.map((name) => readStat(Number(name)));
    return times.reduce((sum, stat) => sum + (stat?.parent === postmaster ? stat.milliseconds : 0), 0);
}

function readStat(processId: number): { readonly parent: number; readonly milliseconds: number } | undefined {
    try {
        // The name comes in parentheses and may hold anything; times are in hundredths of a second.
        const fields = readFileSync(`/proc/${processId}/stat`, "latin1")
            .replace(/^.*\) /s, "")
            .split(" ");
        return { parent: Number(fields[1]), milliseconds: (Number(fields[11]) + Number(fields[12])) * 10 };
    } catch {
        return undefined;
    }
}

/**
 * Runs a task; returns its seconds, and which share of the cores somebody else used meanwhile: what needs two cores is
 * slowed down by that more than what needs one. Without /proc the server counts as somebody else, and nothing is told.
 */
export async function timeWithOthers(
    backend: number,
    task: () => Promise<unknown>,
): Promise<{ readonly seconds: number; readonly others: number }> {
    const before = usedTimes(backend);
    const started = performance.now();
    await task();
    const elapsed = performance.now() - started;
    const after = usedTimes(backend);
    const others = after.all - before.all - (after.ours - before.ours);
    const isTold = process.platform === "linux";
    return { seconds: elapsed / 1000, others: isTold ? Math.max(0, others / elapsed / cpus().length) : 0 };
}

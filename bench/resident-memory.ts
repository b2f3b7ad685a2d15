import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** A process with all that descend from it, by /proc. */
export function processTree(root: number): readonly number[] {
    const children = new Map<number, number[]>();
    for (const name of readdirSync("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const parent = Number(
            read(name, "stat")
                ?.replace(/^.*\) /s, "")
                .split(" ")[1],
        );
        children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    }
    const tree = [root];
    for (const pid of tree) tree.push(...(children.get(pid) ?? []));
    return tree;
}

/** The most that a process had resident since `forgetPeak`, in bytes: the kernel's own count, nothing is sampled. */
export const peakOf = (pid: number) => kilobytes(pid, "status", "VmHWM");

/** What a process has resident now that no other one has. */
export const ownOf = (pid: number) =>
    kilobytes(pid, "smaps_rollup", "Private_Clean") + kilobytes(pid, "smaps_rollup", "Private_Dirty");

export function forgetPeak(pid: number): void {
    try {
        writeFileSync(`/proc/${pid}/clear_refs`, "5");
    } catch {
        // It has ended.
    }
}

function kilobytes(pid: number, file: string, field: string): number {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(read(String(pid), file) ?? "");
    return Number(found?.[1] ?? 0) * 1024;
}

function read(pid: string, file: string): string | undefined {
    try {
        return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
        // It has ended.
        return undefined;
    }
}

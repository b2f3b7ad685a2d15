import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A memory limit of the kernel's, as a container has one. */
export interface ControlGroup {
    /** What is put before a command, so that it and its children count. */
    readonly enter: readonly string[];
    /** How many of its processes the kernel has killed for want of memory. */
    killed(): number;
    remove(): Promise<void>;
}

interface Kind {
    readonly parent: string;
    readonly limit: string;
    /** Memory with swap, or swap alone: none of it may be swapped out of sight. */
    readonly swap: readonly [file: string, bytes: (limit: number) => number];
    readonly events: string;
}

const kinds: readonly Kind[] = [
    {
        parent: "/sys/fs/cgroup/memory",
        limit: "memory.limit_in_bytes",
        swap: ["memory.memsw.limit_in_bytes", (limit) => limit],
        events: "memory.oom_control",
    },
    {
        parent: "/sys/fs/cgroup",
        limit: "memory.max",
        swap: ["memory.swap.max", () => 0],
        events: "memory.events",
    },
];

/** A control group with this limit, or why this machine lets us have none. */
export function createControlGroup(limitBytes: number): ControlGroup | string {
    let refusal = "there is no /sys/fs/cgroup";
    for (const { parent, limit, swap, events } of kinds) {
        if (!existsSync(parent)) continue;
        const folder = join(parent, `rebuild-bench-${process.pid}`);
        const read = (file: string) => readFileSync(join(folder, file), "utf8");
        try {
            mkdirSync(folder);
            writeFileSync(join(folder, limit), String(limitBytes));
            const [file, bytes] = swap;
            if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(bytes(limitBytes)));
            return {
                enter: ["sh", "-c", `echo $$ > ${folder}/cgroup.procs && exec "$@"`, "sh"],
                killed: () => Number(/^oom_kill (\d+)$/m.exec(read(events))?.[1] ?? 0),
                remove: () => removeGroup(folder),
            };
        } catch (error) {
            refusal = (error as Error).message;
            if (existsSync(folder)) rmdirSync(folder);
        }
    }
    return refusal;
}

/** The kernel lets go of a process a moment after its parent. */
async function removeGroup(folder: string): Promise<void> {
    for (let tries = 0; ; tries++) {
        try {
            rmdirSync(folder);
            return;
        } catch (error) {
            if (tries === 50) throw error;
            await sleep(100);
        }
    }
}

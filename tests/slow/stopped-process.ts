import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface StoppedProcess {
    readonly code: number | null;
    readonly printed: string;
    /** Of its processor's time, from the signal to its end: what others use of the cores does not count. */
    readonly cpuSeconds: number;
    readonly wallSeconds: number;
}

/** Whether a command can be process 1, as in a container: there a signal that nobody listens to does nothing at all. */
export const canBeProcessOne =
    process.platform === "linux" &&
    spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0;

/** Has a program of Node's say when it listens to SIGTERM first: before, nothing of it has run. */
const sayListening = `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from "node:fs";
    const said = (name) => name === "SIGTERM" && queueMicrotask(() => writeSync(2, "listening\\n"));
    process.on("newListener", said);
`)}`;

/** Starts a program of Node's, signals it so long after it first listens to SIGTERM, and waits for its end. */
export async function stopAfter(
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
    afterMs: number,
): Promise<StoppedProcess> {
    const prefix = canBeProcessOne ? ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] : [];
    const command = [...prefix, process.execPath, "--import", sayListening, ...args];
    const child = spawn(command[0]!, command.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    const listens = new Promise<void>((resolve) => {
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => {
                printed += text;
                if (printed.includes("listening")) resolve();
            });
        }
    });
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    await Promise.race([listens, closed]);
    await sleep(afterMs);
    const pid = canBeProcessOne ? childOf(child.pid!) : child.pid!;
    const sentAt = performance.now();
    const used = pid === undefined ? () => 0 : watchCpu(pid);
    if (pid !== undefined) process.kill(pid, "SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const code = await closed;
    clearTimeout(patience);
    return { code, printed, cpuSeconds: used(), wallSeconds: (performance.now() - sentAt) / 1000 };
}

function childOf(pid: number): number | undefined {
    const [child] = read(`/proc/${pid}/task/${pid}/children`)?.split(" ") ?? [];
    return child ? Number(child) : undefined;
}

/** From now on; the function that is returned gives its seconds of processor time up to then, or up to its end. */
export function watchCpu(pid: number): () => number {
    const before = cpuSecondsOf(pid) ?? 0;
    let last = before;
    const watch = setInterval(() => {
        last = cpuSecondsOf(pid) ?? last;
    }, 2);
    return () => {
        clearInterval(watch);
        return last - before;
    };
}

/** Undefined once it has ended. In hundredths of a second. */
function cpuSecondsOf(pid: number): number | undefined {
    const fields = read(`/proc/${pid}/stat`)
        ?.replace(/^.*\) /s, "")
        .split(" ");
    if (!fields || fields[0] === "Z") return undefined;
    return (Number(fields[11]) + Number(fields[12])) / 100;
}

function read(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}

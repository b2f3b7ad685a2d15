import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface PublisherOrder {
    readonly generation: number;
    readonly rows?: number;
    /** A rollback is of the latest generation. */
    readonly mode: "swap" | "diff" | "rollback";
    /** It kills itself before this step; absent: it is killed from outside, or publishes. */
    readonly lethal?: { readonly step: string; readonly occurrence: number };
}

export interface PublisherEnd {
    readonly outcome: "killed" | "done" | "failed";
    /** The steps that it came to. */
    readonly steps: readonly string[];
    /** What it said when it failed. */
    readonly errors: string;
}

/** A process that publishes when it is told to. */
export interface Publisher {
    /** `onStep` may kill it. */
    run(order: PublisherOrder, onStep?: (step: string, kill: () => void) => void): Promise<PublisherEnd>;
    /** Ends one that was never run. */
    stop(): void;
}

/** `script` is the bundled publisher-process.ts. */
export function startPublisher(script: string, url: string): Publisher {
    const child = spawn(process.execPath, [script, url], { stdio: ["pipe", "pipe", "pipe"] });
    const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    const lines = createInterface({ input: child.stdout });
    const ready = Promise.race([once(lines, "line"), exit]);
    let errors = "";
    child.stderr.on("data", (data) => {
        errors += data;
    });
    return {
        run: async (order, onStep) => {
            await ready;
            const steps: string[] = [];
            lines.on("line", (step: string) => {
                steps.push(step);
                onStep?.(step, () => child.kill("SIGKILL"));
            });
            child.stdin.end(`${JSON.stringify(order)}\n`);
            const [code, signal] = await exit;
            return { outcome: outcomeOf(code, signal), steps, errors };
        },
        stop: () => stopChild(child),
    };
}

function stopChild(child: ChildProcess): void {
    child.kill("SIGKILL");
}

function outcomeOf(code: number | null, signal: NodeJS.Signals | null): PublisherEnd["outcome"] {
    if (signal === "SIGKILL") return "killed";
    return code === 0 ? "done" : "failed";
}

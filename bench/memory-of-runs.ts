import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ControlGroup } from "./control-group.ts";
import { forgetPeak, ownOf, peakOf, processTree } from "./resident-memory.ts";

export interface StepMemory {
    /** `build`, or within the publication `publish: load`. */
    readonly step: string;
    readonly seconds: number;
    /** Peak of the run's own process, in bytes. */
    readonly run: number;
    /**
     * That, and the most that all the others had for themselves: the service, its health check, what compiles
     * TypeScript.
     */
    readonly all: number;
    /** The model, test or replay that was under way at the run's peak. */
    readonly at: string;
}

export interface RunMemory {
    /** Null when it was killed. */
    readonly exitCode: number | null;
    /** How it ended, in its own words. */
    readonly message: string;
    readonly steps: readonly StepMemory[];
}

interface Container {
    /** Settings as the deployment has them: database, target. */
    readonly env: Readonly<Record<string, string>>;
    /** Folder of the project. */
    readonly root: string;
    readonly group?: ControlGroup;
    readonly onStep?: (step: StepMemory) => void;
}

/** What a container of 1 GB has in its environment, as docs/deploy.md says. */
export const smallContainer = { NODE_OPTIONS: "--max-semi-space-size=4", MALLOC_ARENA_MAX: "1" };

type Started = ChildProcessByStdio<null, Readable, Readable>;

const binary = fileURLToPath(new URL("../bin/rebuild.js", import.meta.url));
const sampleMs = 200;
/** As in the Dockerfile. */
const healthCheckMs = 30_000;

/**
 * What a container may hold at most: `rebuild serve`, its health checks, and a run beside them. Measures each command
 * by its steps.
 */
export async function withContainer<T>(
    container: Container,
    use: (measure: (...command: readonly string[]) => Promise<RunMemory>) => Promise<T>,
): Promise<T> {
    const { PATH = "", HOME = "" } = process.env;
    const env = {
        PATH,
        HOME,
        LOG_FORMAT: "json",
        LOG_LEVEL: "debug",
        REBUILD_ENV_FILE: "",
        // A container that is read-only keeps nothing of what it compiled.
        TSX_DISABLE_CACHE: "1",
        ...container.env,
    };
    const start = (...args: readonly string[]): Started => {
        const [program, ...rest] = [...(container.group?.enter ?? []), process.execPath, ...args] as [
            string,
            ...string[],
        ];
        return spawn(program, rest, { cwd: container.root, env, stdio: ["ignore", "pipe", "pipe"] });
    };
    const service = start(binary, "serve", "--port", "0", "--no-schedule");
    const exited = once(service, "exit");
    let check: Started | undefined;
    let checking: NodeJS.Timeout | undefined;
    try {
        const asking = `fetch("${await addressOf(service)}/healthz").then(({ ok }) => process.exit(ok ? 0 : 1))`;
        checking = setInterval(() => {
            check = start("-e", asking);
        }, healthCheckMs);
        const besides = () => [service.pid!, ...(check?.pid ? [check.pid] : [])].flatMap(processTree);
        return await use((...command) => measure(start(binary, ...command), besides, container.onStep));
    } finally {
        clearInterval(checking);
        service.kill("SIGTERM");
        await exited;
    }
}

async function measure(
    run: Started,
    besides: () => readonly number[],
    onStep: Container["onStep"],
): Promise<RunMemory> {
    const pid = run.pid!;
    const exited = once(run, "close");
    const steps: StepMemory[] = [];
    const begun = (step: string) => ({ step, since: performance.now(), run: 0, others: 0, at: "" });
    let current = begun("start");
    let node = "";
    const sample = () => {
        const peak = peakOf(pid);
        if (peak > current.run) Object.assign(current, { run: peak, at: node });
        const others = [...besides(), ...processTree(pid)].filter((one) => one !== pid);
        const theirs = others.reduce((sum, one) => sum + ownOf(one), 0);
        current.others = Math.max(current.others, theirs);
    };
    const begin = (step: string) => {
        if (step === current.step) return;
        sample();
        forgetPeak(pid);
        const { since, run: own, others, at } = current;
        const seconds = (performance.now() - since) / 1000;
        const ended = { step: current.step, seconds, run: own, all: own + others, at };
        steps.push(ended);
        onStep?.(ended);
        current = begun(step);
        node = "";
    };
    let last = "";
    for (const stream of [run.stdout, run.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
            const { type, step, name, message } = readEvent(line);
            if (type === "node-start") node = String(name);
            if (type === "phase-start") begin(String(step));
            if (type === "publish-step") begin(`publish: ${step}`);
            if (type === "run-end") begin("end");
            if (message !== undefined) last = String(message);
        });
    }
    const timer = setInterval(sample, sampleMs);
    await exited;
    clearInterval(timer);
    begin("gone");
    return { exitCode: run.exitCode, message: last, steps };
}

async function addressOf(service: Started): Promise<string> {
    let said = "";
    for await (const text of service.stderr.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
        said += text;
        const found = /rebuild serve [^"]* on (http:[^"\s]+): /.exec(said);
        if (!found) continue;
        // Nobody listens any more, and its pipes must not fill.
        service.stdout.resume();
        service.stderr.resume();
        return found[1]!;
    }
    throw new Error(`the service did not start: ${said}`);
}

function readEvent(line: string): Readonly<Record<string, unknown>> {
    try {
        return JSON.parse(line);
    } catch {
        return { message: line };
    }
}

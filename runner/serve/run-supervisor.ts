import { type ChildProcess, spawn } from "node:child_process";
import type { RunEvent } from "../status/events.ts";
import type { Progress } from "../status/phase-track.ts";

/** What a run tells the service that started it, one message an event. */
export interface RunMessage {
    readonly event: RunEvent;
    readonly progress: Progress;
}

export interface RunRequest {
    /** Of the program: `run --select=career+`. */
    readonly args: readonly string[];
    readonly triggeredBy: "api" | "cron";
    readonly testMode?: boolean;
}

export interface SupervisorOptions {
    /** The program itself, to be run by this very Node. */
    readonly binary: string;
    /** Options that the service was started with and its runs need: project, target, log format. */
    readonly commonArgs: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly newRunId: (testMode: boolean) => string;
    /** After the process has ended. */
    readonly onEnd: (run: SupervisedRun) => Promise<void>;
}

/** One run as its parent sees it. */
export interface SupervisedRun {
    readonly runId: string;
    readonly request: RunRequest;
    readonly startedAt: Date;
    readonly messages: readonly RunMessage[];
    readonly progress: Progress | undefined;
    /** Undefined while it runs. */
    readonly end: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null } | undefined;
}

interface Supervised extends SupervisedRun {
    readonly messages: RunMessage[];
    progress: SupervisedRun["progress"];
    end: SupervisedRun["end"];
    readonly listeners: Set<(message: RunMessage | undefined) => void>;
}

/** Somebody else's run is under way. */
export class BusyError extends Error {
    override readonly name = "BusyError";
    readonly runId: string;
    constructor(runId: string) {
        super(`run ${runId} is under way`);
        this.runId = runId;
    }
}

const remembered = 20;
/** Kept for listeners that come late; what only moves a bar is not among them. */
const keptMessages = 2000;
const killAfterMs = 5000;

/**
 * Runs one run at a time, each as a process of its own: its memory goes back to the machine when it ends, and a crash
 * in the engine takes the run and not the service.
 */
export class RunSupervisor {
    readonly #options: SupervisorOptions;
    readonly #runs: Supervised[] = [];
    #child: ChildProcess | undefined;
    #ended: Promise<void> = Promise.resolve();

    constructor(options: SupervisorOptions) {
        this.#options = options;
    }

    get current(): SupervisedRun | undefined {
        return this.#runs.find(({ end }) => end === undefined);
    }

    find(runId: string): SupervisedRun | undefined {
        return this.#runs.find((run) => run.runId === runId);
    }

    /** Newest first. */
    get runs(): readonly SupervisedRun[] {
        return this.#runs;
    }

    /** Throws a BusyError while a run of this service is under way. */
    start(request: RunRequest): SupervisedRun {
        const { current } = this;
        if (current) throw new BusyError(current.runId);
        const { binary, commonArgs, env, newRunId } = this.#options;
        const testMode = request.testMode ?? env.TEST_MODE === "true";
        const runId = newRunId(testMode);
        const run: Supervised = {
            runId,
            request,
            startedAt: new Date(),
            messages: [],
            progress: undefined,
            end: undefined,
            listeners: new Set(),
        };
        const child = spawn(process.execPath, [binary, ...request.args, ...commonArgs], {
            env: {
                ...env,
                TRIGGERED_BY: request.triggeredBy,
                REBUILD_RUN_ID: runId,
                TEST_MODE: String(testMode),
            },
            stdio: ["ignore", "inherit", "inherit", "ipc"],
        });
        this.#runs.unshift(run);
        this.#runs.length = Math.min(this.#runs.length, remembered);
        this.#child = child;
        child.on("message", (message) => this.#hear(run, message as RunMessage));
        this.#ended = new Promise<void>((resolve) => {
            const end = (exitCode: number | null, signal: NodeJS.Signals | null) => {
                run.end = { exitCode, signal };
                this.#child = undefined;
                this.#options
                    .onEnd(run)
                    .catch(() => undefined)
                    .finally(() => {
                        for (const listener of run.listeners) listener(undefined);
                        run.listeners.clear();
                        resolve();
                    });
            };
            child.once("error", () => end(null, null));
            // Not `close`: that waits for whoever inherited the pipes.
            child.once("exit", end);
        });
        return run;
    }

    /** Calls with each message from now on, and with undefined at the end. Returns the function that stops it. */
    listen(runId: string, listener: (message: RunMessage | undefined) => void): () => void {
        const run = this.#runs.find((one) => one.runId === runId);
        if (!run || run.end) {
            listener(undefined);
            return () => undefined;
        }
        run.listeners.add(listener);
        return () => run.listeners.delete(listener);
    }

    /** Asks the run under way to stop, and waits for it; what does not stop is killed. */
    async stop(): Promise<void> {
        const child = this.#child;
        child?.kill("SIGTERM");
        const timer = setTimeout(() => child?.kill("SIGKILL"), killAfterMs);
        await this.#ended;
        clearTimeout(timer);
    }

    #hear(run: Supervised, message: RunMessage): void {
        run.progress = message.progress;
        if (message.event.type !== "progress") {
            run.messages.push(message);
            if (run.messages.length > keptMessages) run.messages.shift();
        }
        for (const listener of run.listeners) listener(message);
    }
}

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hook, HookEvent } from "../project/project.ts";
import { scrub, scrubbedJson } from "../secrets.ts";
import { type RunRecord, toSnakeCase } from "./artifacts.ts";

interface HookOptions {
    /** Where commands run. */
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly warn: (message: string) => void;
    /** Of the process: after it there is little time. */
    readonly signal: AbortSignal;
}

const eventOf: Record<RunRecord["status"], HookEvent> = {
    success: "success",
    failed: "failure",
    skipped: "skipped",
    interrupted: "cancelled",
};

/** Whoever stopped the run gives it ten seconds, as a rule, before it is killed. */
const afterSignalMs = 5000;

/** Tells everybody who asked to be told of such an end, all at once. A hook that fails is a warning. */
export async function callHooks(
    hooks: readonly Hook[],
    record: RunRecord,
    options: HookOptions,
): Promise<void> {
    const event = eventOf[record.status];
    const body = scrubbedJson(toSnakeCase({ event, text: describe(record), ...record }));
    await Promise.all(
        hooks
            .filter(({ on }) => on.includes(event))
            .map(async ({ call, timeoutSeconds }) => {
                const what = "command" in call ? `command ${call.command}` : "webhook";
                const { over, clear } = startDeadline(timeoutSeconds, options.signal);
                try {
                    if ("command" in call) await runCommand(call.command, body, over, event, record, options);
                    else await post(call.webhook, body, over);
                } catch (error) {
                    const reason = error instanceof Error ? error.message : String(error);
                    options.warn(
                        `hook on ${event}, ${what}: ${scrub(reason)}; the run's outcome stays as it is`,
                    );
                } finally {
                    clear();
                }
            }),
    );
}

/** Aborts when the time is over, with how long that was as its reason: `within 30 s`. */
function startDeadline(
    seconds: number,
    signal: AbortSignal,
): { readonly over: AbortSignal; readonly clear: () => void } {
    const deadline = new AbortController();
    const endAfter = (milliseconds: number, why: string) =>
        setTimeout(() => deadline.abort(why), milliseconds);
    const timers = [endAfter(seconds * 1000, `within ${seconds} s`)];
    const hurry = () =>
        timers.push(endAfter(afterSignalMs, `within ${afterSignalMs / 1000} s of the signal`));
    if (signal.aborted) hurry();
    else signal.addEventListener("abort", hurry, { once: true, signal: deadline.signal });
    return {
        over: deadline.signal,
        clear: () => {
            for (const timer of timers) clearTimeout(timer);
        },
    };
}

function describe({ runId, command, status, target, error }: RunRecord): string {
    const why = error === undefined ? "" : `: ${error.split("\n", 1)[0]}`;
    return `rebuild ${command} ${runId} on ${target} ${status}${why}`;
}

const attempts = 3;

/** Again after an answer that says `later`, and when nobody answers, as long as there is time. */
async function post(url: string, body: string, over: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
        const failure = await postOnce(url, body, over);
        if (failure === undefined) return;
        if (over.aborted) throw new Error(`no answer ${over.reason}`);
        if (!failure.again || attempt === attempts) throw new Error(failure.message);
        await sleep(200 * 4 ** attempt, undefined, { signal: over }).catch(() => undefined);
    }
}

async function postOnce(
    url: string,
    body: string,
    signal: AbortSignal,
): Promise<{ readonly message: string; readonly again: boolean } | undefined> {
    try {
        const headers = { "content-type": "application/json", "user-agent": "rebuild" };
        const response = await fetch(url, { method: "POST", headers, body, signal });
        await response.body?.cancel();
        if (response.ok) return undefined;
        return {
            message: `answered ${response.status}`,
            again: response.status >= 500 || response.status === 429,
        };
    } catch (error) {
        const { message, cause } = error as Error;
        return { message: cause instanceof Error ? `${message}: ${cause.message}` : message, again: true };
    }
}

/** A group of its own, so that what the shell started ends with it. */
function runCommand(
    command: string,
    body: string,
    over: AbortSignal,
    event: HookEvent,
    record: RunRecord,
    { cwd, env }: HookOptions,
): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = spawn(command, {
            shell: true,
            cwd,
            detached: true,
            env: {
                ...env,
                REBUILD_EVENT: event,
                REBUILD_RUN_ID: record.runId,
                REBUILD_EXIT_CODE: String(record.exitCode),
            },
            stdio: ["pipe", "ignore", "pipe"],
        });
        let said = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            said = (said + text).slice(-1000);
        });
        // A command that does not read its input is no failure.
        child.stdin.on("error", () => undefined);
        child.stdin.end(body);
        const kill = () => {
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
            reject(new Error(`not done ${over.reason}`));
        };
        over.addEventListener("abort", kill);
        child.on("error", reject);
        child.on("close", (code, signal) => {
            over.removeEventListener("abort", kill);
            if (code === 0) resolve();
            else
                reject(
                    new Error(`ended with ${signal ?? `exit code ${code}`}${said ? `: ${said.trim()}` : ""}`),
                );
        });
    });
}

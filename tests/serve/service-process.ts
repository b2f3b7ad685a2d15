import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LiveShop } from "../status/live-shop.ts";

const binary = fileURLToPath(new URL("../../bin/rebuild.js", import.meta.url));

export const token = "an-open-secret-of-these-tests";

export interface Service {
    readonly url: string;
    readonly pid: number;
    /** All that was printed, by the service and by its runs. */
    readonly printed: () => string;
    get(path: string, headers?: Record<string, string>): Promise<Answer>;
    post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
    /** Waits for the end after a signal; returns the exit code. */
    stop(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Answer {
    readonly status: number;
    readonly body: Record<string, unknown>;
    readonly text: string;
}

/** `rebuild serve` as a process of its own, on a free port. */
export async function withService<T>(
    shop: LiveShop,
    { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: Record<string, string> },
    use: (service: Service) => Promise<T>,
): Promise<T> {
    const { PATH = "", HOME = "", TMPDIR } = process.env;
    const child = spawn(process.execPath, [binary, "serve", "--port", "0", ...args], {
        cwd: shop.root,
        env: {
            PATH,
            HOME,
            ...(TMPDIR !== undefined && { TMPDIR }),
            NO_COLOR: "1",
            REBUILD_SERVICE_TOKEN: token,
            ...shop.env,
            ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
            printed += text;
        });
    }
    const exited = once(child, "exit");
    const url = await new Promise<string>((resolve, reject) => {
        const look = () => {
            const found = /on (http:\/\/[\w.:[\]]+): /.exec(printed);
            if (found) resolve(found[1]!);
        };
        child.stderr.on("data", look);
        child.once("exit", () => reject(new Error(printed)));
    });
    const ask = async (path: string, init: RequestInit): Promise<Answer> => {
        const response = await fetch(url + path, init);
        const text = await response.text();
        const isJson = response.headers.get("content-type")?.includes("json");
        return { status: response.status, text, body: isJson ? JSON.parse(text) : {} };
    };
    try {
        return await use({
            url,
            pid: child.pid!,
            printed: () => printed,
            get: (path, headers = {}) => ask(path, { headers }),
            post: (path, body, headers = { authorization: `Bearer ${token}` }) =>
                ask(path, {
                    method: "POST",
                    headers: {
                        ...headers,
                        ...(body !== undefined && { "content-type": "application/json" }),
                    },
                    ...(body !== undefined && {
                        body: typeof body === "string" ? body : JSON.stringify(body),
                    }),
                }),
            async stop(signal) {
                child.kill(signal);
                await exited;
                return child.exitCode;
            },
        });
    } finally {
        // Not at once by force: the run that is under way would stay, in a folder that is about to go.
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
        await exited;
        clearTimeout(timer);
    }
}

/** Asks again and again until the answer is as wanted: how long that takes is the machine's business. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
    for (;;) {
        const answer = await ask();
        if (isWanted(answer)) return answer;
        await sleep(100);
    }
}

/** The events of a run until its stream ends. */
export async function readEvents(
    url: string,
): Promise<readonly { type: string; data: Record<string, unknown> }[]> {
    const text = await (await fetch(url)).text();
    return text
        .split("\n\n")
        .filter((part) => part.includes("event: "))
        .map((part) => ({
            type: /^event: (.*)$/m.exec(part)![1]!,
            data: JSON.parse(/^data: (.*)$/m.exec(part)![1]!),
        }));
}

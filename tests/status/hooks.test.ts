import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { callHooks } from "../../runner/status/hooks.ts";
import { withDirectoryLock } from "../../runner/warehouse/directory-lock.ts";
import { withLiveShop } from "./live-shop.ts";

interface Post {
    readonly url: string;
    readonly body: Record<string, unknown>;
}

/** A server that keeps what is posted to it, and answers as told. */
async function withReceiver<T>(
    answer: (post: Post, nth: number) => number | undefined,
    use: (url: string, posts: readonly Post[]) => Promise<T>,
): Promise<T> {
    const posts: Post[] = [];
    const server = createServer((request, response) => {
        let text = "";
        request.on("data", (part) => {
            text += part;
        });
        request.on("end", () => {
            const post = { url: request.url!, body: JSON.parse(text) };
            const status = answer(post, posts.push(post));
            if (status !== undefined) response.writeHead(status).end();
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
        return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts);
    } finally {
        server.closeAllConnections();
        server.close();
    }
}

const profiles = (hooks: string) => `
default: live
targets:
    live:
        source: { type: files, path: "\${DATA:-data}" }
        publish: { type: postgres, url: "\${SHOP_TARGET_URL}" }
        hooks:
${hooks.replace(/^/gm, "            ")}
`;

const record = {
    runId: "run-0001",
    command: "run",
    status: "failed",
    exitCode: 1,
    startedAt: "2026-01-04T16:00:00.000Z",
    seconds: 1,
    target: "live",
    triggeredBy: "cron",
    selection: { select: [], exclude: [] },
    phases: [],
    results: [],
    error: "model a failed\nmore of it",
} as const;

async function warningsOf(
    hook: { command: string } | { webhook: string },
    timeoutSeconds = 5,
): Promise<string[]> {
    const warnings: string[] = [];
    await callHooks([{ on: ["failure"], call: hook, timeoutSeconds }], record, {
        cwd: ".",
        env: process.env,
        warn: (message) => warnings.push(message),
        signal: new AbortController().signal,
    });
    return warnings;
}

describe("hooks", () => {
    it("are told of success, failure and skipped runs, with the run record, a command on its standard input", () =>
        withReceiver(
            () => 200,
            (url, posts) =>
                withLiveShop(
                    {
                        "profiles.yml": profiles(
                            [
                                `- { on: [failure, skipped], webhook: "${url}/bad" }`,
                                `- { on: success, command: "cat > told-$REBUILD_EVENT.json" }`,
                                `- { on: [success, failure], webhook: "\${NOT_SET:-}" }`,
                            ].join("\n"),
                        ),
                    },
                    async ({ root, run }) => {
                        expect((await run(["run"])).code).toBe(2);
                        const lock = { runId: "another-run", command: "rebuild run" };
                        await withDirectoryLock(join(root, "target"), lock, () => run(["run"]));
                        expect((await run(["run"], { env: { TEST_MODE: "true" } })).code).toBe(0);
                        expect(posts).toMatchObject([
                            {
                                url: "/bad",
                                body: { event: "failure", status: "failed", exit_code: 2, target: "live" },
                            },
                            { url: "/bad", body: { event: "skipped", status: "skipped", reason: "locked" } },
                        ]);
                        const told = JSON.parse(await readFile(join(root, "told-success.json"), "utf8"));
                        expect(told).toMatchObject({ event: "success", status: "success", test_mode: true });
                    },
                ),
        ));

    it("are tried again where that may help, and otherwise only warn", () =>
        withReceiver(
            ({ url }, nth) => (url === "/later" ? (nth < 3 ? 503 : 200) : url === "/never" ? undefined : 404),
            async (url, posts) => {
                expect(await warningsOf({ webhook: `${url}/later` })).toEqual([]);
                expect(posts).toHaveLength(3);
                expect(posts[0]!.body.text).toBe("rebuild run run-0001 on live failed: model a failed");
                expect(await warningsOf({ webhook: `${url}/gone` })).toEqual([
                    expect.stringContaining("answered 404; the run's outcome stays as it is"),
                ]);
                expect(await warningsOf({ webhook: `${url}/never` }, 0.3)).toEqual([
                    expect.stringContaining("no answer within 0.3 s"),
                ]);
                expect(posts).toHaveLength(5);
            },
        ));

    it("that are commands end with their time, and everything they started with them", async () => {
        expect(await warningsOf({ command: "echo no >&2; exit 3" })).toEqual([
            expect.stringContaining("ended with exit code 3: no"),
        ]);
        const started = performance.now();
        expect(await warningsOf({ command: "sleep 30 & sleep 30" }, 0.3)).toEqual([
            expect.stringContaining("not done within 0.3 s"),
        ]);
        expect(performance.now() - started).toBeLessThan(20_000);
        expect(await warningsOf({ command: "true" })).toEqual([]);
    });
});

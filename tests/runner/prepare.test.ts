import { expect, test } from "vitest";
import { prepare } from "../../runner/commands/prepare.ts";
import { createOutput } from "../../runner/status/output.ts";
import { withShop } from "./shop-project.ts";

const now = () => new Date("2026-01-04T16:00:00Z");

test("reading and compiling a project ends at a signal that comes in between", () =>
    withShop({}, async (root) => {
        const abort = new AbortController();
        const options = { projectDir: root, json: false, logFormat: "text", logLevel: "info" } as const;
        const prepared = prepare(options, {
            env: {},
            now,
            output: createOutput("text", "info", now),
            signal: abort.signal,
            version: "0",
        });
        setImmediate(() => abort.abort(new Error("stopped by SIGTERM")));
        await expect(prepared).rejects.toThrow("stopped by SIGTERM");
    }));

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ReaderOptions, ReaderReport } from "./readers.ts";

/** `withReaders` in a process of its own; `script` is the bundled reader-process.ts. */
export async function withReaderProcess(
    script: string,
    url: string,
    options: ReaderOptions,
    callback: () => Promise<void>,
): Promise<ReaderReport> {
    const child = spawn(process.execPath, [script, url, JSON.stringify(options)], {
        stdio: ["pipe", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    const said: string[] = [];
    const lines = createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
    await Promise.race([once(lines, "line"), exit]);
    try {
        await callback();
    } finally {
        child.stdin.end();
        await exit;
    }
    return JSON.parse(said.at(-1)!) as ReaderReport;
}

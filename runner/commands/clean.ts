import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { removeSandbox, sandboxFolder } from "../../sandbox/sandbox.ts";
import { withDirectoryLock } from "../warehouse/directory-lock.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { targetDirectoryOf } from "./prepare.ts";
import { newRunId } from "./record-run.ts";

export interface CleanOptions extends CommonOptions {
    /** The sandbox's database too. */
    readonly all: boolean;
}

/** Removes what runs left in target/, never while one is under way. */
export async function clean(options: CleanOptions, environment: Environment): Promise<void> {
    const directory = targetDirectoryOf(options);
    const runId = newRunId(environment.now());
    await withDirectoryLock(directory, { runId, command: "rebuild clean" }, async () => {
        if (options.all) await removeSandbox(options.projectDir);
        for (const name of await readdir(directory)) {
            if (name.startsWith("run.lock") || name === sandboxFolder) continue;
            await rm(join(directory, name), { recursive: true, force: true });
        }
    });
    if (options.json) environment.output.data(JSON.stringify({ cleaned: directory, sandbox: options.all }));
    const kept = options.all ? "" : "; the sandbox's database stays (`rebuild clean --all` removes it too)";
    environment.output.note(`Removed warehouse, compiled SQL and records from ${directory}${kept}`);
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linkProject } from "../../bench/link-project.ts";
import { type StepMemory, smallContainer, withContainer } from "../../bench/memory-of-runs.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { resetWorld } from "../../sandbox/sandbox.ts";
import { createDatabase } from "../postgres-server.ts";

/**
 * Enough that DuckDB meets its limit in every phase: with 8 GB in place of the 400 MB of `small`, and two threads, the
 * build comes to 1,103 MB, the tests to 1,360 and the replays to 1,546. With four times fewer they are at 882.
 */
const races = 16_000;
const limitBytes = 1e9;

/** Of a first run, its publication included. */
async function measureRun(): Promise<readonly StepMemory[]> {
    const root = await mkdtemp(join(tmpdir(), "rebuild-memory-"));
    const database = await createDatabase("memory");
    try {
        linkProject(root);
        await withClient({ url: database.url }, prepareDatabase);
        await resetWorld(database.url, { size: races });
        const env = { DATABASE_URL: database.url, REBUILD_TARGET: "small", ...smallContainer };
        const { exitCode, message, steps } = await withContainer({ env, root }, (measure) => measure("run"));
        expect(exitCode, message).toBe(0);
        return steps;
    } finally {
        await database.drop();
        await rm(root, { recursive: true, force: true });
    }
}

const megabytes = (bytes: number) => Math.round(bytes / 1e6);

test.runIf(process.platform === "linux")(
    "all that a container holds stays within 1 GB with the target small: a run, the service and its health check",
    async () => {
        const steps = await measureRun();
        console.log(steps.map(({ step, all }) => `${step} ${megabytes(all)}`).join(", "));
        expect(steps.map(({ step }) => step)).toEqual(
            expect.arrayContaining([
                "extract",
                "build",
                "test",
                "audit",
                "publish: load",
                "publish: swapped",
            ]),
        );
        expect(steps.filter(({ all }) => all > limitBytes)).toEqual([]);
    },
);

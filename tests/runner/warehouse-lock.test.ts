import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { PublishError } from "../../runner/errors.ts";
import { withDirectoryLock } from "../../runner/warehouse/directory-lock.ts";
import { withTemporaryDirectory } from "./warehouse-fixture.ts";

const info = { runId: "r1", command: "rebuild run" };

async function lockError(directory: string): Promise<PublishError> {
    const error = await withDirectoryLock(directory, { ...info, runId: "r2" }, async () => undefined).then(
        () => undefined,
        (reason: unknown) => reason,
    );
    if (!(error instanceof PublishError)) throw new Error(`expected a PublishError, got ${error}`);
    return error;
}

/** A process that holds the lock until it is killed. */
async function holdElsewhere(directory: string): Promise<ChildProcess> {
    const script = `
        import { withDirectoryLock } from "${resolve("runner/warehouse/directory-lock.ts")}";
        await withDirectoryLock(${JSON.stringify(directory)}, { runId: "far", command: "rebuild run --select x" }, async () => {
            console.log("held");
            await new Promise((resolve) => setTimeout(resolve, 60_000));
        });`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout!, "data");
    return child;
}

test("a second run in the same process is refused, and told who holds the lock", async () => {
    await withTemporaryDirectory(async (directory) => {
        const value = await withDirectoryLock(directory, info, async () => {
            const error = await lockError(directory);
            expect(error).toMatchObject({ reason: "locked", exitCode: 3 });
            expect(error.message).toContain(`process ${process.pid} (\`rebuild run\`, run r1, since 20`);
            return "done";
        });
        expect(value).toBe("done");
        await withDirectoryLock(directory, info, async () => undefined);
    });
});

test("a lock of another process is refused by name, and free after that process was killed", async () => {
    await withTemporaryDirectory(async (directory) => {
        const child = await holdElsewhere(directory);
        try {
            for (let attempt = 0; attempt < 2; attempt++) {
                const { message, exitCode } = await lockError(directory);
                expect(exitCode).toBe(3);
                expect(message).toContain(`${directory} is in use by process ${child.pid}`);
                expect(message).toContain("`rebuild run --select x`, run far");
            }
        } finally {
            child.kill("SIGKILL");
            await once(child, "exit");
        }
        expect(existsSync(join(directory, "run.lock.json"))).toBe(true);
        await withDirectoryLock(directory, info, async () => undefined);
        expect(await readdir(directory)).toEqual(["run.lock.duckdb"]);
    });
});

test("the lock is free again after the callback threw", async () => {
    await withTemporaryDirectory(async (directory) => {
        const failing = withDirectoryLock(join(directory, "not/yet/there"), info, async () => {
            throw new Error("the run failed");
        });
        await expect(failing).rejects.toThrow("the run failed");
        await withDirectoryLock(join(directory, "not/yet/there"), info, async () => undefined);
    });
});

test("of many that ask at once exactly one gets the lock", async () => {
    await withTemporaryDirectory(async (directory) => {
        let holders = 0;
        const asked = Array.from({ length: 8 }, () =>
            withDirectoryLock(directory, info, async () => {
                holders++;
                await new Promise((resolve) => setTimeout(resolve, 50));
            }),
        );
        const settled = await Promise.allSettled(asked);
        expect(holders).toBe(1);
        expect(settled.filter(({ status }) => status === "rejected")).toHaveLength(7);
    });
});

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diskFailure } from "../../runner/disk-failure.ts";
import { ConfigError } from "../../runner/errors.ts";

const failureOf = (work: Promise<unknown>) =>
    work.then(
        () => undefined,
        (error: unknown) => error,
    );

describe("a disk that cannot be written", () => {
    it.runIf(existsSync("/dev/full"))("is told as a full one, with what to do", async () => {
        const failure = diskFailure(await failureOf(writeFile("/dev/full", "x")));
        expect(failure).toBeInstanceOf(ConfigError);
        expect(failure?.message).toMatch(/^ENOSPC: .*\nThe disk is full: free space there\./);
    });

    it.runIf(existsSync("/sys"))("is told as one that this user may not write to", async () => {
        const failure = diskFailure(await failureOf(mkdir("/sys/rebuild")));
        expect(failure?.message).toMatch(/mkdir '\/sys\/rebuild'\nThis user may not write there/);
    });

    it("is known where Node says that the folder does not exist, of one on a disk that is read-only", () => {
        const error = new Error("ENOENT: no such file or directory, mkdir '/app/target/runs'");
        expect(diskFailure(error)?.message).toContain("This user may not write there");
    });

    it("is known from DuckDB's own words too", () => {
        const error = new Error('IO Error: Cannot open file "target/run.lock.1.tmp": Permission denied');
        expect(diskFailure(error)?.message).toContain("This user may not write there");
    });

    it("is not what every error of a file is", async () => {
        expect(diskFailure(await failureOf(writeFile(join(tmpdir(), "no", "such"), "x")))).toBeUndefined();
        expect(diskFailure(new TypeError("x is not a function"))).toBeUndefined();
        expect(diskFailure(new ConfigError("No space left on device"))).toBeUndefined();
    });
});

import { exitCodes } from "../errors.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { readRunRecord, removeParts, writeRunRecord } from "../status/artifacts.ts";
import { type LocalStatus, readLocalStatus, writeLocalStatus } from "../status/status-file.ts";
import { isEnded } from "../status/status-row.ts";

/**
 * Clears up after a killed run, and writes the record that it could not write itself. The caller holds the lock on
 * target/, so whatever target/status.json says is under way is dead. Returns its id, if there was one.
 */
export async function recordDeadRun(
    targetDirectory: string,
    runId: string,
    now: Date,
): Promise<readonly string[]> {
    await removeParts(targetDirectory);
    const status = await readLocalStatus(targetDirectory);
    if (!status || isEnded(status.status) || status.runId === runId) return [];
    if (await readRunRecord(targetDirectory, status.runId)) return [];
    const record = deadRecord(status, now);
    await writeRunRecord(targetDirectory, record);
    const end = {
        status: "failed",
        completedAt: now.toISOString(),
        errorMessage: record.error ?? null,
    } as const;
    await writeLocalStatus(targetDirectory, { ...status, ...end });
    return [status.runId];
}

/** What is known of a run whose process is gone. */
export function deadRecord(status: LocalStatus, now: Date): RunRecord {
    const { runId, command, target, triggeredBy, createdAt, updatedAt, phase } = status;
    return {
        runId,
        command,
        status: "failed",
        exitCode: exitCodes.notMade,
        reason: "died",
        startedAt: createdAt,
        seconds: (Date.parse(updatedAt) - Date.parse(createdAt)) / 1000,
        target,
        triggeredBy,
        selection: { select: [], exclude: [] },
        phases: [],
        results: [],
        error: `its process ended without a word in phase ${phase}, last heard of at ${updatedAt} (killed, or the machine went down); found at ${now.toISOString()}`,
    };
}

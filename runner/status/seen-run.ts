import { isEnded, type StatusRow, silenceSeconds } from "./status-row.ts";

/** A run as somebody else sees it. */
export interface SeenRun extends StatusRow {
    /** Not ended, and not heard of for longer than a living run would be. */
    readonly isSilent: boolean;
}

/** By this machine's clock, where the row does not come with the server's own judgement. */
export function seeRun(row: StatusRow, now: Date): SeenRun {
    const silentMs = now.getTime() - Date.parse(row.updatedAt);
    return { ...row, isSilent: !isEnded(row.status) && silentMs > silenceSeconds * 1000 };
}

/** The newest run that is under way, as far as anybody can tell. */
export function currentRun(runs: readonly SeenRun[]): SeenRun | undefined {
    return runs.find((run) => !isEnded(run.status) && !run.isSilent);
}

/** When a run should be done: after the median of the latest complete ones; undefined: there was none. */
export function estimateEnd(current: SeenRun, runs: readonly SeenRun[]): Date | undefined {
    const durations = runs
        .filter((run) => run.status === "completed" && isTestRun(run) === isTestRun(current))
        .slice(0, 5)
        .map(({ durationSeconds }) => durationSeconds)
        .sort((one, other) => one - other);
    const median = durations[Math.floor(durations.length / 2)];
    return median === undefined ? undefined : new Date(Date.parse(current.createdAt) + median * 1000);
}

/** Runs of TEST_MODE carry it in their id, so that nobody takes one for a rebuild. */
export const testRunSuffix = "-test";

export function isTestRun({ runId }: Pick<StatusRow, "runId">): boolean {
    return runId.endsWith(testRunSuffix);
}

export interface Verdict {
    readonly state: "ok" | "failed" | "too old" | "unknown";
    readonly message: string;
}

/** Whether all is well: by the last run that came to an end, and the age of the last success. */
export function judgeRuns(runs: readonly SeenRun[], now: Date, maxAgeSeconds: number | undefined): Verdict {
    const real = runs.filter((run) => !isTestRun(run) && run.status !== "skipped");
    const last = real.find((run) => isEnded(run.status) || run.isSilent);
    if (!last) return { state: "unknown", message: "no run has come to an end yet" };
    if (last.isSilent) {
        return {
            state: "failed",
            message: `run ${last.runId} has been silent since ${last.updatedAt}: its process is gone`,
        };
    }
    if (last.status === "failed") {
        return {
            state: "failed",
            message: `run ${last.runId} failed: ${firstLine(last.errorMessage ?? "")}`,
        };
    }
    const success = real.find(({ status }) => status === "completed");
    const ageSeconds =
        success && (now.getTime() - Date.parse(success.completedAt ?? success.updatedAt)) / 1000;
    if (maxAgeSeconds !== undefined && (ageSeconds === undefined || ageSeconds > maxAgeSeconds)) {
        const when = success ? `the last success was at ${success.completedAt}` : "no run has succeeded";
        return { state: "too old", message: `${when}, which is longer ago than is allowed` };
    }
    return {
        state: "ok",
        message: `run ${last.runId} ${last.status === "completed" ? "completed" : "rolled back"}`,
    };
}

function firstLine(text: string): string {
    return text.split("\n", 1)[0]!;
}

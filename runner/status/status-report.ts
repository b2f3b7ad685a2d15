import { currentRun, estimateEnd, judgeRuns, type SeenRun, type Verdict } from "./seen-run.ts";

/** What is known of the runs at one moment. */
export interface StatusReport {
    readonly verdict: Verdict;
    readonly current?: SeenRun;
    /** By the usual time of a run, ISO 8601. */
    readonly estimatedEndAt?: string;
    /** Newest first. */
    readonly runs: readonly SeenRun[];
    readonly from: "database" | "rest api" | "this machine";
    /** Why it was not learnt where it should have been. */
    readonly problem?: string;
}

/** Where runs were learnt of. */
export type FoundRuns = Pick<StatusReport, "runs" | "from" | "problem">;

/** The runs with what follows from them; `limit` only shortens the list. */
export function reportOn(
    { runs, from, problem }: FoundRuns,
    now: Date,
    { limit, maxAge }: { readonly limit: number; readonly maxAge?: number },
): StatusReport {
    const current = currentRun(runs);
    const end = current && estimateEnd(current, runs);
    return {
        verdict: judgeRuns(runs, now, maxAge),
        ...(current && { current }),
        ...(end && { estimatedEndAt: end.toISOString() }),
        runs: runs.slice(0, limit),
        from,
        ...(problem !== undefined && { problem }),
    };
}

/** States of a run as the table rebuild_status has them. */
export const runStates = [
    "starting",
    "extracting",
    "transforming",
    "loading",
    "refreshing",
    "completed",
    "failed",
    "skipped",
    "rolled_back",
] as const;
export type RunState = (typeof runStates)[number];

const ended: ReadonlySet<RunState> = new Set(["completed", "failed", "skipped", "rolled_back"]);

export function isEnded(state: RunState): boolean {
    return ended.has(state);
}

/** One run in rebuild_status. Times are ISO 8601, UTC. */
export interface StatusRow {
    readonly runId: string;
    readonly status: RunState;
    readonly phase: string;
    /** From 1. */
    readonly phaseNumber: number;
    readonly totalPhases: number;
    readonly message: string;
    readonly rowsProcessed: number;
    readonly errorMessage: string | null;
    readonly durationSeconds: number;
    readonly triggeredBy: string;
    readonly createdAt: string;
    /** The heartbeat: never older than `heartbeatSeconds` while the run lives. */
    readonly updatedAt: string;
    readonly completedAt: string | null;
}

export const heartbeatSeconds = 10;
/** A run that was silent for so long, and does not hold the lock, is dead: five heartbeats and a slow network. */
export const silenceSeconds = 60;

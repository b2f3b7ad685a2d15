import type { StatusReport } from "../status/status-report.ts";
import type { RunSupervisor } from "./run-supervisor.ts";

export interface ServiceOptions {
    readonly version: string;
    readonly supervisor: RunSupervisor;
    /** Absent: runs cannot be started over HTTP. */
    readonly token?: string;
    /** Reading needs the token, too. */
    readonly protectReads: boolean;
    readonly report: () => Promise<StatusReport>;
    /** A run's record in snake_case. */
    readonly findRecord: (runId: string) => Promise<unknown>;
    /** A run that this service did not start and that is under way all the same. */
    readonly otherRun: () => Promise<string | undefined>;
    /** Why a run could not be made now; undefined: it could. */
    readonly notReady: () => Promise<string | undefined>;
    readonly nextRun: () => Date | undefined;
    readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
    readonly log: (message: string, level: "debug" | "warn" | "error") => void;
}

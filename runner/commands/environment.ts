import type { RunEvent } from "../status/events.ts";
import type { LogLevel } from "../status/log-level.ts";
import type { LogFormat, Output } from "../status/output.ts";
import type { Progress } from "../status/phase-track.ts";

/** What a command takes from the process; tests hand in their own. */
export interface Environment {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly now: () => Date;
    readonly output: Output;
    /** Aborted by SIGINT and SIGTERM. */
    readonly signal: AbortSignal;
    /** The terminal that may show progress; absent in a pipe. */
    readonly terminal?: NodeJS.WriteStream;
    readonly version: string;
    /** Told of everything that a run reports: the service that started it listens. */
    readonly listener?: (event: RunEvent, progress: Progress) => void;
}

/** Options that every command takes. */
export interface CommonOptions {
    /** Folder that holds rebuild.yml. */
    readonly projectDir: string;
    readonly target?: string;
    /** YAML or JSON: `{elo_k: 160}`. */
    readonly vars?: string;
    readonly threads?: number;
    /** Data as JSON on stdout. */
    readonly json: boolean;
    readonly logFormat: LogFormat;
    readonly logLevel: LogLevel;
}

export interface SelectionOptions {
    readonly select: readonly string[];
    readonly exclude: readonly string[];
}

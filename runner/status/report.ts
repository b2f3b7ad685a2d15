import type { Report } from "./events.ts";
import type { LogLevel } from "./log-level.ts";
import type { LogFormat, Output } from "./output.ts";
import type { PhaseTrack } from "./phase-track.ts";
import { createProgressLine } from "./progress-line.ts";
import { reportJson, reportLines } from "./report-lines.ts";

export interface ReportOptions {
    readonly json: boolean;
    readonly logFormat: LogFormat;
    readonly logLevel: LogLevel;
    readonly output: Output;
    readonly terminal?: NodeJS.WriteStream;
    readonly now: () => Date;
    readonly runId: string;
    readonly track: PhaseTrack;
}

/** The report of a run: lines are its output unless `--json` asks for the record there, then they are notes. */
export function createReport(options: ReportOptions): Report {
    const { json, logFormat, output, terminal, now } = options;
    const print = json ? output.line : output.data;
    if (logFormat === "json") return reportJson(print, options);
    const progress = terminal && createProgressLine(terminal, () => now().getTime());
    return reportLines(print, progress, options);
}

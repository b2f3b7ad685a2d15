import type { Report } from "./events.ts";
import type { Output } from "./output.ts";
import { createProgressLine } from "./progress-line.ts";
import { reportJson, reportLines } from "./report-lines.ts";

export interface ReportOptions {
    readonly json: boolean;
    readonly logFormat: "text" | "json";
    readonly output: Output;
    readonly terminal?: NodeJS.WriteStream;
    readonly now: () => Date;
    readonly runId: string;
}

/** The report of a run: lines are its output unless `--json` asks for the record there, then they are notes. */
export function createReport({ json, logFormat, output, terminal, now, runId }: ReportOptions): Report {
    const print = json ? output.note : output.data;
    if (logFormat === "json") return reportJson(print, runId, now);
    const progress = terminal && createProgressLine(terminal, () => now().getTime());
    return reportLines(print, progress, now);
}

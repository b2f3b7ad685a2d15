import { setTimeout as sleep } from "node:timers/promises";
import colours from "picocolors";
import { type ExitCode, exitCodes } from "../errors.ts";
import { scrubbedJson } from "../secrets.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import { formatAge, formatCount, formatSeconds, formatTable } from "../status/format.ts";
import type { SeenRun, Verdict } from "../status/seen-run.ts";
import { reportOn, type StatusReport } from "../status/status-report.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { prepare } from "./prepare.ts";
import { readRuns } from "./read-runs.ts";

export interface StatusOptions extends CommonOptions {
    readonly limit: number;
    readonly watch: boolean;
    /** Seconds since the last success; more is a failure. */
    readonly maxAge?: number;
}

const watchPauseMs = 2000;
/** So many are looked through for the last success, however few are shown. */
export const searchedRuns = 100;

const exitCodeOf: Record<Verdict["state"], ExitCode> = {
    ok: exitCodes.done,
    failed: exitCodes.failed,
    "too old": exitCodes.failed,
    unknown: exitCodes.notMade,
};

/** Prints the last runs and the one under way; the exit code says whether all is well. */
export async function status(options: StatusOptions, environment: Environment): Promise<ExitCode> {
    const prepared = await prepare(options, environment);
    const { signal, output } = environment;
    let hadCurrent = false;
    let shown = "";
    for (;;) {
        const found = await readRuns(prepared, environment, searchedRuns);
        const report = reportOn(found, environment.now(), options);
        const text = options.json
            ? scrubbedJson(toSnakeCase(report), options.watch ? undefined : 2)
            : describe(report, environment.now());
        if (text !== shown) {
            if (options.watch && !options.json && process.stdout.isTTY)
                process.stdout.write("\u001b[H\u001b[2J");
            output.data(text);
            shown = text;
        }
        const isOver = hadCurrent && !report.current;
        if (!options.watch || isOver) return exitCodeOf[report.verdict.state];
        hadCurrent ||= report.current !== undefined;
        await sleep(watchPauseMs, undefined, { signal });
    }
}

function describe(report: StatusReport, now: Date): string {
    const { verdict, current, runs, from, problem } = report;
    const parts: string[] = [];
    if (problem !== undefined)
        parts.push(`${colours.yellow("WARN")} ${problem}\nWhat follows is from ${from}.`, "");
    if (runs.length > 0) parts.push(listRuns(runs), "");
    if (current) parts.push(describeCurrent(current, report, now), "");
    const paint =
        verdict.state === "ok" ? colours.green : verdict.state === "unknown" ? colours.yellow : colours.red;
    parts.push(`${paint(verdict.state.toUpperCase())}: ${verdict.message}`);
    return parts.join("\n");
}

function listRuns(runs: readonly SeenRun[]): string {
    return formatTable(
        ["run", "status", "phase", "started (UTC)", "took", "rows", "by", "message"],
        runs.map((run) => [
            run.runId,
            run.isSilent ? "dead" : run.status,
            run.totalPhases > 0 ? `${run.phaseNumber}/${run.totalPhases} ${run.phase}` : run.phase,
            new Date(run.createdAt).toISOString().slice(0, 16).replace("T", " "),
            formatSeconds(run.durationSeconds),
            formatCount(run.rowsProcessed),
            run.triggeredBy,
            shorten(run.errorMessage ?? run.message),
        ]),
    );
}

const barWidth = 24;

function describeCurrent(current: SeenRun, { estimatedEndAt }: StatusReport, now: Date): string {
    const { phaseNumber, totalPhases, phase, message, createdAt } = current;
    const elapsed = (now.getTime() - Date.parse(createdAt)) / 1000;
    const filled = Math.round(((phaseNumber - 1) / Math.max(1, totalPhases)) * barWidth);
    const bar = `[${"█".repeat(filled)}${"·".repeat(barWidth - filled)}]`;
    const end = estimatedEndAt && describeEnd((Date.parse(estimatedEndAt) - now.getTime()) / 1000);
    return [
        `${bar} phase ${phaseNumber} of ${totalPhases}, ${phase}: ${message}`,
        `under way for ${formatSeconds(elapsed)}${end ? `; ${end}` : ""}`,
    ].join("\n");
}

function describeEnd(left: number): string {
    if (left < 0) return `${formatAge(-left)} over the usual time`;
    return `about ${formatAge(left)} to go, by the usual time`;
}

function shorten(text: string): string {
    const line = text.split("\n", 1)[0]!;
    return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

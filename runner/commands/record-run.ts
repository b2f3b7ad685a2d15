import { randomBytes } from "node:crypto";
import type { CompiledProject } from "../compile/compiled.ts";
import { diskFailure } from "../disk-failure.ts";
import { type ExitCode, exitCodes, RebuildError } from "../errors.ts";
import type { Project } from "../project/project.ts";
import { scrub } from "../secrets.ts";
import { type RunRecord, toSnakeCase, writeRunRecord } from "../status/artifacts.ts";
import type { Report } from "../status/events.ts";
import { createReport } from "../status/report.ts";
import { describeTarget } from "./connections.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { isFailure, type RunLedger } from "./run-phases.ts";
import { summarizeRun } from "./summary.ts";

export interface Recorder {
    readonly report: Report;
    readonly ledger: RunLedger;
    readonly note: (message: string) => void;
}

interface RecordOptions {
    readonly options: CommonOptions & Partial<SelectionOptions>;
    readonly environment: Environment;
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly targetDirectory: string;
    readonly runId: string;
    readonly command: string;
}

/** Such as `20261122T160003-9f2c`: sorts by time, unique enough for two starts within one second. */
export function newRunId(now: Date): string {
    const stamp = now.toISOString().replace(/[-:]|\..*/g, "");
    return `${stamp}-${randomBytes(2).toString("hex")}`;
}

/** Says what is about to happen, does it, writes the record and sums it up, whatever happened. Errors become part of it. */
export async function recordRun(
    setting: RecordOptions,
    work: (recorder: Recorder) => Promise<void>,
): Promise<RunRecord> {
    const { options, environment, project, compiled, targetDirectory, runId, command } = setting;
    const startedAt = environment.now();
    const report = createReport({ ...options, ...environment, runId });
    const note = (message: string) => report({ type: "note", level: "info", message });
    const ledger: RunLedger = { results: [], phases: [] };
    const selection = { select: options.select ?? [], exclude: options.exclude ?? [] };
    note(
        `rebuild ${command} ${environment.version}: ${project.name}, target ${project.target.name}, ${describeTarget(project.target)}`,
    );

    let error: unknown;
    try {
        await work({ report, ledger, note });
    } catch (caught) {
        error = diskFailure(caught) ?? caught;
    }
    // A signal that came when everything was done interrupted nothing.
    const interrupted = environment.signal.aborted && error !== undefined;
    const exitCode = exitCodeOf(error, ledger, interrupted);
    const record: RunRecord = {
        runId,
        command,
        status: interrupted ? "interrupted" : exitCode === exitCodes.done ? "success" : "failed",
        exitCode,
        startedAt: startedAt.toISOString(),
        seconds: (environment.now().getTime() - startedAt.getTime()) / 1000,
        target: project.target.name,
        selection,
        phases: ledger.phases,
        results: ledger.results,
        ...(ledger.sourceSnapshotAt && { sourceSnapshotAt: ledger.sourceSnapshotAt.toISOString() }),
        ...(ledger.publication && { publication: ledger.publication }),
        ...(error !== undefined && { error: scrub(describeError(error, interrupted)) }),
    };
    await writeRunRecord(targetDirectory, record).catch((cause) => {
        // What kept the run from going on may keep its record from being written; the run's own outcome counts.
        const failure = diskFailure(cause);
        if (!failure) throw cause;
        report({ type: "note", level: "warn", message: `no record of the run: ${failure.message}` });
    });
    if (error !== undefined && !interrupted && !(error instanceof RebuildError)) throw error;
    const { data } = environment.output;
    if (options.json) data(JSON.stringify(toSnakeCase(record), null, 2));
    else if (options.logFormat === "text") data(summarizeRun(record, compiled));
    return record;
}

function exitCodeOf(error: unknown, ledger: RunLedger, interrupted: boolean): ExitCode {
    if (interrupted) return exitCodes.interrupted;
    if (error instanceof RebuildError) return error.exitCode;
    if (error !== undefined) return exitCodes.notMade;
    return ledger.results.some(isFailure) ? exitCodes.failed : exitCodes.done;
}

function describeError(error: unknown, interrupted: boolean): string {
    if (interrupted) return "interrupted; nothing was published";
    return error instanceof Error ? error.message : String(error);
}

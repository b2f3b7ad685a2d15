import { randomBytes } from "node:crypto";
import { diskFailure } from "../disk-failure.ts";
import { exitCodes, RebuildError } from "../errors.ts";
import { adviceFor, exitCodeOf, type FailureReason, failureReason } from "../failure-reason.ts";
import { scrub, scrubbedJson } from "../secrets.ts";
import { type RunRecord, type RunStatus, toSnakeCase, writeRunRecord } from "../status/artifacts.ts";
import type { Report } from "../status/events.ts";
import { callHooks } from "../status/hooks.ts";
import { PhaseTrack } from "../status/phase-track.ts";
import { createReport } from "../status/report.ts";
import { testRunSuffix } from "../status/seen-run.ts";
import { StatusKeeper } from "../status/status-keeper.ts";
import { withDirectoryLock } from "../warehouse/directory-lock.ts";
import { watchSignal } from "./after-signal.ts";
import { describeTarget } from "./connections.ts";
import { recordDeadRun } from "./dead-run.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import type { Prepared } from "./prepare.ts";
import { isFailure, type PhaseContext, type RunLedger } from "./run-phases.ts";
import type { Settings } from "./settings.ts";
import { summarizeRun } from "./summary.ts";

/** What the work of a recorded run is given. */
export interface RunContext extends PhaseContext {
    readonly runId: string;
    readonly version: string;
    /** Absolute path of target/. */
    readonly targetDirectory: string;
    readonly track: PhaseTrack;
    readonly keeper: StatusKeeper;
    /** Does this when the last status was written: what the status is written to must not end before. */
    readonly defer: (cleanup: () => Promise<void>) => void;
}

interface RecordOptions {
    readonly options: CommonOptions & Partial<SelectionOptions>;
    readonly environment: Environment;
    readonly prepared: Prepared;
    readonly command: string;
    /** Models and seeds that it builds. */
    readonly names?: ReadonlySet<string>;
    /** True: it changes what is in target/ or in service, so it takes the lock and has a row in rebuild_status. */
    readonly exclusive: boolean;
}

/** Such as `20261122T160003-9f2c`: sorts by time, unique enough for two starts within one second. */
export function newRunId(now: Date, settings?: Settings): string {
    if (settings?.runId !== undefined) return settings.runId;
    const stamp = now.toISOString().replace(/[-:]|\..*/g, "");
    return `${stamp}-${randomBytes(2).toString("hex")}${settings?.testMode ? testRunSuffix : ""}`;
}

/** How long the end of a run waits for its last status to be written. */
const patienceMs = 10_000;
/**
 * After a signal there is a second for all, so these count from the signal on. What does not stop in time, such as a
 * checkpoint, is left to end with the process; and so is what the status is written to, such as a sandbox that stops.
 */
const afterSignalMs = { stopped: 400, recorded: 750 };

/**
 * Says what is about to happen, does it, writes the record and sums it up, whatever happened. Errors become part of it.
 */
export async function recordRun(
    setting: RecordOptions,
    work: (context: RunContext) => Promise<void>,
): Promise<RunRecord> {
    const { options, environment, prepared, command, exclusive } = setting;
    const { project, compiled, settings, targetDirectory } = prepared;
    const { signal, now } = environment;
    const { left, orStopped } = watchSignal(signal);
    const startedAt = now();
    const runId = newRunId(startedAt, settings);
    const secondsSince = () => (now().getTime() - startedAt.getTime()) / 1000;
    const track = new PhaseTrack(prepared.phases, setting.names ?? new Set());
    const log = createReport({ ...options, ...environment, runId, track });
    const ledger: RunLedger = { results: [], phases: [] };
    const warn = (message: string) => report({ type: "note", level: "warn", message });
    const note = (message: string) => report({ type: "note", level: "info", message });
    const { restApi, triggeredBy } = settings;
    const keeper = new StatusKeeper({
        runId,
        current: () => ({
            runId,
            ...track.progress,
            durationSeconds: secondsSince(),
            triggeredBy,
            createdAt: startedAt.toISOString(),
        }),
        ...(restApi && { restApi }),
        now,
        warn,
        info: note,
    });
    let isOver = false;
    const report: Report = (event) => {
        // What did not stop in time may still speak.
        if (isOver && event.type !== "note") return;
        track.follow(event);
        keeper.touch();
        log(event);
        environment.listener?.(event, track.progress);
    };
    const deferred: (() => Promise<void>)[] = [];
    const context: RunContext = {
        project,
        compiled,
        now,
        signal,
        ledger,
        report,
        note,
        runId,
        version: environment.version,
        targetDirectory,
        track,
        keeper,
        defer: (cleanup) => deferred.push(cleanup),
    };

    report({ type: "run-start", command, target: project.target.name, triggeredBy });
    note(
        `rebuild ${command} ${environment.version}: ${project.name}, target ${project.target.name}, ${describeTarget(project.target)}`,
    );
    let error: unknown;
    try {
        if (exclusive && project.target.publish?.type === "postgres")
            keeper.connect(project.target.publish.url);
        if (!exclusive) await orStopped(work(context), afterSignalMs.stopped);
        else
            await orStopped(
                withDirectoryLock(targetDirectory, { runId, command: `rebuild ${command}` }, async () => {
                    for (const dead of await recordDeadRun(targetDirectory, runId, now()))
                        warn(`run ${dead} had died without a word: recorded as failed`);
                    keeper.openLocal(targetDirectory, { command, target: project.target.name });
                    await work(context);
                }),
                afterSignalMs.stopped,
            );
    } catch (caught) {
        error = diskFailure(caught) ?? caught;
    }
    const outcome = judge(error, ledger, signal);
    const record: RunRecord = {
        runId,
        command,
        ...outcome,
        startedAt: startedAt.toISOString(),
        seconds: secondsSince(),
        target: project.target.name,
        triggeredBy,
        ...(settings.testMode && { testMode: true }),
        selection: { select: options.select ?? [], exclude: options.exclude ?? [] },
        phases: ledger.phases,
        results: ledger.results,
        ...(ledger.sourceSnapshotAt && { sourceSnapshotAt: ledger.sourceSnapshotAt.toISOString() }),
        ...(ledger.audit && { audit: ledger.audit }),
        ...(ledger.publication && { publication: ledger.publication }),
    };
    try {
        await writeRunRecord(targetDirectory, record).catch((cause) => {
            // What kept the run from going on may keep its record from being written; the run's own outcome counts.
            const failure = diskFailure(cause);
            if (!failure) throw cause;
            warn(`no record of the run: ${failure.message}`);
        });
    } finally {
        const orLeft = (last: Promise<void>) =>
            orStopped(last, afterSignalMs.recorded).catch((reason) => {
                if (!signal.aborted) throw reason;
            });
        try {
            // Whatever happened: its heartbeat would keep the process, and the row, alive for good.
            await orLeft(
                keeper.finish({
                    status: stateOf(record),
                    message: describeOutcome(record),
                    errorMessage: outcome.error ?? null,
                    patienceMs: left(afterSignalMs.recorded, patienceMs),
                }),
            );
        } finally {
            for (const cleanup of deferred.reverse()) await orLeft(cleanup());
        }
    }
    report({
        type: "run-end",
        status: outcome.status,
        exitCode: outcome.exitCode,
        seconds: record.seconds,
        ...(outcome.reason && { reason: outcome.reason }),
        ...(outcome.error !== undefined && { message: outcome.error }),
    });
    isOver = true;
    const { env } = environment;
    await callHooks(project.target.hooks ?? [], record, { cwd: project.root, env, warn, signal });
    if (error !== undefined && outcome.status === "failed" && !(error instanceof RebuildError)) throw error;
    const { data } = environment.output;
    if (options.json) data(scrubbedJson(toSnakeCase(record), 2));
    else if (
        options.logFormat === "text" &&
        (options.logLevel !== "error" || outcome.exitCode !== exitCodes.done)
    )
        data(summarizeRun(record, compiled));
    return record;
}

interface Judgement extends Pick<RunRecord, "status" | "exitCode"> {
    readonly reason?: FailureReason;
    readonly error?: string;
}

function judge(error: unknown, ledger: RunLedger, signal: AbortSignal): Judgement {
    // A signal that came when everything was done interrupted nothing.
    if (signal.aborted && error !== undefined) {
        const by = signal.reason instanceof Error ? signal.reason.message : "stopped";
        const message = `cancelled: ${by}; ${describeService(ledger)}`;
        return {
            status: "interrupted",
            exitCode: exitCodes.interrupted,
            reason: "cancelled",
            error: message,
        };
    }
    const failed = ledger.results.filter(isFailure);
    const messages = failed.map(({ message = "failed" }) => message);
    const reason = failureReason(error, messages);
    if (reason === undefined) return { status: "success", exitCode: exitCodes.done };
    const first = failed.find(({ status }) => status === "failed");
    const text =
        error === undefined
            ? first && `${first.kind} ${first.name} failed: ${first.message?.split("\n", 1)[0] ?? ""}`
            : error instanceof Error
              ? error.message
              : String(error);
    const advice = adviceFor(reason);
    const status: RunStatus = reason === "locked" ? "skipped" : "failed";
    return {
        status,
        exitCode: exitCodeOf(error, messages),
        reason,
        error: scrub(
            [text, advice && `${advice} ${capitalize(describeService(ledger))}.`].filter(Boolean).join("\n"),
        ),
    };
}

/** Between the swap's statement and its answer nobody here can know what became of it. */
function describeService({ publication, phases }: RunLedger): string {
    if (publication?.generation !== undefined) return `generation ${publication.generation} is in service`;
    if (phases.some(({ phase }) => phase === "publish"))
        return "nothing was published, unless the swap itself was cut off: `rebuild generations` says";
    return "nothing was published";
}

function capitalize(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

function stateOf({ status, command }: RunRecord) {
    if (status === "success") return command === "rollback" ? "rolled_back" : "completed";
    return status === "skipped" ? "skipped" : "failed";
}

function describeOutcome({ status, command, publication, testMode }: RunRecord): string {
    const prefix = testMode ? "test mode: " : "";
    if (status !== "success") return `${prefix}${command} ${status === "interrupted" ? "cancelled" : status}`;
    if (publication?.generation === undefined) return `${prefix}${command} done, nothing published`;
    return `${prefix}${command} done, generation ${publication.generation} in service`;
}

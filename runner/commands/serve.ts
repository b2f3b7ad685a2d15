import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Cron } from "croner";
import { ConfigError } from "../errors.ts";
import { withClient } from "../postgres/connect.ts";
import { isCronPattern } from "../project/operations-schema.ts";
import { createMetrics } from "../serve/metrics.ts";
import { BusyError, RunSupervisor, type SupervisedRun } from "../serve/run-supervisor.ts";
import { createService } from "../serve/service.ts";
import { readRunRecord } from "../status/artifacts.ts";
import { testRunSuffix } from "../status/seen-run.ts";
import { reportOn, type StatusReport } from "../status/status-report.ts";
import { withDirectoryLock } from "../warehouse/directory-lock.ts";
import { describeTarget } from "./connections.ts";
import { recordDeadRun } from "./dead-run.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { readRuns } from "./read-runs.ts";
import { newRunId } from "./record-run.ts";
import { searchedRuns } from "./status.ts";

export interface ServeOptions extends CommonOptions {
    /** Default 127.0.0.1; `::` for everybody. */
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    /** Over the one of rebuild.yml. */
    readonly schedule?: string | false;
}

const binary = fileURLToPath(new URL("../../bin/rebuild.js", import.meta.url));
/** Answers about the database are as old as this at most: whoever polls does not load it. */
const freshMs = 2000;

/** Serves runs over HTTP and starts them by schedule, until the process is told to stop. */
export async function serve(options: ServeOptions, environment: Environment): Promise<void> {
    const prepared = await prepare(options, environment);
    const { project, settings } = prepared;
    const { output, signal, version } = environment;
    const schedule = chooseSchedule(options, prepared);
    const supervisor: RunSupervisor = new RunSupervisor({
        binary,
        commonArgs: commonArgs(options, project.target.name),
        env: environment.env,
        newRunId: (testMode) => `${newRunId(environment.now())}${testMode ? testRunSuffix : ""}`,
        onEnd: async (run) => {
            metrics.countEnd(run);
            await recordEnd(run, prepared, environment);
        },
    });
    const report = cached(() => learnStatus(prepared, environment, supervisor));
    const cron =
        schedule === undefined
            ? undefined
            : new Cron(schedule, { timezone: "UTC", catch: true }, () =>
                  startScheduled(supervisor, environment),
              );
    const nextRun = () => cron?.nextRun() ?? undefined;
    const metrics = createMetrics({ supervisor, report, nextRun });
    const app = await createService({
        version,
        supervisor,
        ...(settings.serviceToken !== undefined && { token: settings.serviceToken }),
        protectReads: project.serve?.protectReads ?? false,
        report,
        findRecord: (runId) => readRunRecord(prepared.targetDirectory, runId),
        otherRun: async () => (await learnStatus(prepared, environment, supervisor)).current?.runId,
        notReady: cached(() => notReady(prepared, environment)),
        nextRun,
        metrics: metrics.render,
        log: (message, level) => output.note(message, level),
    });
    try {
        const address = await app.listen({ host: options.host, port: options.port }).catch((cause) => {
            throw new ConfigError(`Cannot listen on ${options.host}:${options.port}: ${cause.message}`, {
                cause,
            });
        });
        output.note(
            `rebuild serve ${version} on ${address}: ${project.name}, ${describeTarget(project.target)}`,
        );
        if (cron) output.note(`runs by schedule ${schedule} (UTC), the next at ${nextRun()?.toISOString()}`);
        if (settings.serviceToken === undefined)
            output.note("REBUILD_SERVICE_TOKEN is not set: runs cannot be started over HTTP", "warn");
        await new Promise<void>((stop) => {
            if (signal.aborted) stop();
            signal.addEventListener("abort", () => stop(), { once: true });
        });
    } finally {
        cron?.stop();
        if (supervisor.current) output.note(`stopping run ${supervisor.current.runId}`);
        await supervisor.stop();
        await app.close();
    }
    output.note("the service has stopped");
}

function chooseSchedule({ schedule }: ServeOptions, { project }: Prepared): string | undefined {
    if (schedule === false) return undefined;
    if (schedule !== undefined && !isCronPattern(schedule)) {
        throw new ConfigError(
            `--schedule ${schedule} is no cron pattern. Write five fields, in UTC: "0 16 * * 0" for Sundays at 16:00.`,
        );
    }
    return schedule ?? project.serve?.schedule;
}

/** What a run takes from the service's own command line. */
function commonArgs(options: ServeOptions, target: string): readonly string[] {
    const { projectDir, vars, threads, logFormat, logLevel } = options;
    return [
        `--project-dir=${resolve(projectDir)}`,
        `--target=${target}`,
        ...(vars === undefined ? [] : [`--vars=${vars}`]),
        ...(threads === undefined ? [] : [`--threads=${threads}`]),
        `--log-format=${logFormat}`,
        `--log-level=${logLevel}`,
    ];
}

function startScheduled(supervisor: RunSupervisor, { output }: Environment): void {
    try {
        const { runId } = supervisor.start({ args: ["run"], triggeredBy: "cron" });
        output.note(`the schedule started run ${runId}`);
    } catch (error) {
        if (!(error instanceof BusyError)) throw error;
        output.note(`the schedule starts nothing: ${error.message}`, "warn");
    }
}

/** A process that was killed left no record: its parent writes it, rather than the next run. */
async function recordEnd(
    run: SupervisedRun,
    { targetDirectory }: Prepared,
    environment: Environment,
): Promise<void> {
    const { runId, end } = run;
    const { output, now } = environment;
    if (await readRunRecord(targetDirectory, runId)) return;
    output.note(
        `run ${runId} ended without a record: ${end?.signal ?? `exit code ${end?.exitCode}`}`,
        "error",
    );
    await withDirectoryLock(targetDirectory, { runId, command: "rebuild serve" }, () =>
        recordDeadRun(targetDirectory, "", now()),
    );
}

/** Runs of this service that have ended are not under way, whatever their last row says. */
async function learnStatus(
    prepared: Prepared,
    environment: Environment,
    supervisor: RunSupervisor,
): Promise<StatusReport> {
    const found = await readRuns(prepared, environment, searchedRuns);
    const runs = found.runs.map((run) =>
        supervisor.find(run.runId)?.end ? { ...run, isSilent: run.completedAt === null } : run,
    );
    return reportOn({ ...found, runs }, environment.now(), { limit: searchedRuns });
}

async function notReady({ project }: Prepared, { signal }: Environment): Promise<string | undefined> {
    if (signal.aborted) return "the service is stopping";
    const { publish } = project.target;
    if (publish?.type !== "postgres") return undefined;
    try {
        const options = {
            url: publish.url,
            applicationName: "rebuild ready",
            retry: false,
            connectTimeoutMs: 3000,
        };
        await withClient(options, (client) => client.query("select 1"));
        return undefined;
    } catch (error) {
        return (error as Error).message;
    }
}

/** One call at a time, and its answer for a while. */
function cached<T>(ask: () => Promise<T>): () => Promise<T> {
    let answer: Promise<T> | undefined;
    return () => {
        if (answer) return answer;
        const asked = ask();
        answer = asked;
        const forget = () => {
            if (answer === asked) answer = undefined;
        };
        asked.then(() => setTimeout(forget, freshMs).unref(), forget);
        return asked;
    };
}

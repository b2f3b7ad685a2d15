import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../is-alive.ts";
import { withClient } from "../postgres/connect.ts";
import { readRunRecord } from "../status/artifacts.ts";
import { type SeenRun, seeRun } from "../status/seen-run.ts";
import { fetchStatus } from "../status/status-api.ts";
import { readLocalStatus } from "../status/status-file.ts";
import type { FoundRuns } from "../status/status-report.ts";
import { isEnded, type RunState } from "../status/status-row.ts";
import { readStatus } from "../status/status-table.ts";
import type { Environment } from "./environment.ts";
import type { Prepared } from "./prepare.ts";

const patienceMs = 5000;

/** The last runs from wherever they can be learnt: the target's table, the REST API, or the records in target/. */
export async function readRuns(
    { project, settings, targetDirectory }: Prepared,
    { now, signal }: Environment,
    limit: number,
): Promise<FoundRuns> {
    const { publish } = project.target;
    // The sandbox's database runs only while something uses it; asking for its state is no reason to start it.
    if (publish?.type !== "postgres") {
        return { runs: await readLocalRuns(targetDirectory, now(), limit), from: "this machine" };
    }
    let problem: string;
    try {
        const options = {
            url: publish.url,
            applicationName: "rebuild status",
            statementTimeoutMs: patienceMs,
            connectTimeoutMs: patienceMs,
            retry: false,
            signal,
        };
        return {
            runs: (await withClient(options, (client) => readStatus(client, limit))) ?? [],
            from: "database",
        };
    } catch (error) {
        signal.throwIfAborted();
        problem = (error as Error).message;
    }
    if (settings.restApi) {
        try {
            const rows = await fetchStatus(settings.restApi, limit, signal);
            return { runs: rows.map((row) => seeRun(row, now())), from: "rest api", problem };
        } catch (error) {
            signal.throwIfAborted();
            problem = `${problem}\n${(error as Error).message}`;
        }
    }
    return { runs: await readLocalRuns(targetDirectory, now(), limit), from: "this machine", problem };
}

/** What this machine knows: its records, and the run that holds the lock on target/. */
async function readLocalRuns(targetDirectory: string, now: Date, limit: number): Promise<readonly SeenRun[]> {
    const names = await readdir(join(targetDirectory, "runs")).catch(() => [] as string[]);
    const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
    const newest = ids.sort().reverse().slice(0, limit);
    const records = await Promise.all(newest.map((id) => readRunRecord(targetDirectory, id)));
    const known = records.flatMap((record) => (record ? [fromRecord(record)] : []));
    const local = await readLocalStatus(targetDirectory);
    if (!local || isEnded(local.status) || known.some(({ runId }) => runId === local.runId)) return known;
    const seen = seeRun(local, now);
    return [{ ...seen, isSilent: seen.isSilent || !isAlive(local.pid) }, ...known].slice(0, limit);
}

function fromRecord(record: Readonly<Record<string, unknown>>): SeenRun {
    const results = (record.results ?? []) as readonly { readonly kind: string; readonly rows?: number }[];
    const phases = (record.phases ?? []) as readonly { readonly phase: string }[];
    const startedAt = String(record.started_at);
    const seconds = Number(record.seconds);
    const endedAt = new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
    const states: Readonly<Record<string, RunState>> = {
        success: record.command === "rollback" ? "rolled_back" : "completed",
        skipped: "skipped",
    };
    return {
        runId: String(record.run_id),
        status: states[String(record.status)] ?? "failed",
        phase: phases.at(-1)?.phase ?? "",
        phaseNumber: phases.length,
        totalPhases: phases.length,
        message: String(record.command),
        rowsProcessed: results.reduce((sum, { kind, rows = 0 }) => (kind === "test" ? sum : sum + rows), 0),
        errorMessage: record.error === undefined ? null : String(record.error),
        durationSeconds: seconds,
        triggeredBy: String(record.triggered_by ?? "manual"),
        createdAt: startedAt,
        updatedAt: endedAt,
        completedAt: endedAt,
        isSilent: false,
    };
}

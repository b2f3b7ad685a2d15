import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { StatusReport } from "../status/status-report.ts";
import type { RunSupervisor, SupervisedRun } from "./run-supervisor.ts";

export interface Metrics {
    readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
    readonly countEnd: (run: SupervisedRun) => void;
}

/** What Prometheus reads: gauges are taken at the moment of the scrape. */
export function createMetrics(options: {
    readonly supervisor: RunSupervisor;
    readonly report: () => Promise<StatusReport>;
    readonly nextRun: () => Date | undefined;
}): Metrics {
    const registry = new Registry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
    const inProgress = gauge("rebuild_run_in_progress", "1 while a run is under way");
    const phase = gauge("rebuild_run_phase_number", "Phase of the run under way, from 1; 0 without one");
    const rows = gauge("rebuild_run_rows_processed", "Rows of the run under way");
    const lastOk = gauge("rebuild_last_run_ok", "1 when the last run that ended succeeded");
    const lastSuccess = gauge("rebuild_last_success_timestamp_seconds", "When a run last completed");
    const lastDuration = gauge("rebuild_last_success_duration_seconds", "How long that run took");
    const next = gauge("rebuild_next_run_timestamp_seconds", "When the schedule starts the next run");
    const ended = new Counter({
        name: "rebuild_runs_total",
        help: "Runs of this service that ended, by exit code and trigger",
        labelNames: ["exit_code", "triggered_by"],
        registers,
    });

    return {
        countEnd({ end, request }) {
            ended.inc({ exit_code: String(end?.exitCode ?? end?.signal), triggered_by: request.triggeredBy });
        },
        async render() {
            const { verdict, current, runs } = await options.report();
            const live = options.supervisor.current?.progress ?? current;
            inProgress.set(options.supervisor.current || current ? 1 : 0);
            phase.set(live?.phaseNumber ?? 0);
            rows.set(live?.rowsProcessed ?? 0);
            if (verdict.state !== "unknown") lastOk.set(verdict.state === "ok" ? 1 : 0);
            const success = runs.find(({ status }) => status === "completed");
            if (success) {
                lastSuccess.set(Date.parse(success.completedAt ?? success.updatedAt) / 1000);
                lastDuration.set(success.durationSeconds);
            }
            const at = options.nextRun();
            if (at) next.set(at.getTime() / 1000);
            return { contentType: registry.contentType, text: await registry.metrics() };
        },
    };
}

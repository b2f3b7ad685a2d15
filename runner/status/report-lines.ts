import colours from "picocolors";
import { scrubbedJson } from "../secrets.ts";
import { toSnakeCase } from "./artifacts.ts";
import type { NodeResult, Report, RunEvent } from "./events.ts";
import { countOf, formatBytes, formatCount, formatSeconds } from "./format.ts";
import { isShown, type LogLevel, levelOf } from "./log-level.ts";
import type { PhaseTrack } from "./phase-track.ts";
import type { ProgressLine } from "./progress-line.ts";

const lineWidth = 78;

/** Turns events into lines for people, one a node: `12 of 31 OK created table career ... [525,123 rows in 0.41s]`. */
export function reportLines(
    print: (line: string) => void,
    progress: ProgressLine | undefined,
    { now, logLevel }: { readonly now: () => Date; readonly logLevel: LogLevel },
): Report {
    const clock = () => colours.dim(now().toISOString().slice(11, 19));
    const line = (text: string) => {
        progress?.clear();
        print(`${clock()}  ${text}`);
    };
    const shown = (event: RunEvent) => isShown(levelOf(event), logLevel);
    return (event) => {
        switch (event.type) {
            case "phase-start":
                if (event.message && shown(event)) line(colours.bold(event.phase.padEnd(8)) + event.message);
                progress?.phase(event.phase, event.total);
                break;
            case "phase-end":
                progress?.clear();
                if (event.message && shown(event))
                    line(
                        `${" ".repeat(8)}${event.message} ${colours.dim(`in ${formatSeconds(event.seconds)}`)}`,
                    );
                break;
            case "node-start":
                progress?.started(event.name);
                if (shown(event)) line(colours.dim(`started ${event.kind} ${event.name}`));
                break;
            case "node-end":
                progress?.ended(event.result.name);
                // A hundred passing tests are one line at the end of their phase; only what needs an eye is shown.
                if (shown(event)) line(describeResult(event.result, event.index, event.total));
                break;
            case "progress":
                progress?.moved(event);
                break;
            case "note":
                if (shown(event))
                    line(
                        event.level === "warn" ? `${colours.yellow("WARN")} ${event.message}` : event.message,
                    );
                break;
        }
    };
}

interface JsonOptions {
    readonly runId: string;
    readonly now: () => Date;
    readonly logLevel: LogLevel;
    readonly track: PhaseTrack;
}

/** One flat JSON object a line, for machines; the same keys mean the same in all of them. */
export function reportJson(
    print: (line: string) => void,
    { runId, now, logLevel, track }: JsonOptions,
): Report {
    return (event: RunEvent) => {
        const level = levelOf(event);
        if (!isShown(level, logLevel)) return;
        const { phase, phaseNumber } = placeOf(event, track);
        const head = { at: now().toISOString(), level, runId, phase, phaseNumber };
        print(scrubbedJson(toSnakeCase({ ...head, ...flatten(event) })));
    };
}

/** A model's line says the phase of the model; all others where the run as a whole is. */
function placeOf(event: RunEvent, track: PhaseTrack) {
    const node = event.type === "node-end" ? event.result : event.type === "node-start" ? event : undefined;
    const own = node?.kind === "model" || node?.kind === "seed" ? track.phaseOf(node.name) : undefined;
    return own ?? track.progress;
}

function flatten(event: RunEvent): object {
    switch (event.type) {
        case "phase-start": {
            const { phase: step, ...rest } = event;
            return { ...rest, step };
        }
        case "phase-end": {
            const { phase: step, seconds, ...rest } = event;
            return { ...rest, step, durationSeconds: seconds };
        }
        case "node-end": {
            const { result, ...rest } = event;
            const { seconds, ...measured } = result;
            const model = result.kind === "model" && { model: result.name };
            return { ...rest, ...model, ...measured, durationSeconds: seconds };
        }
        case "run-end": {
            const { seconds, ...rest } = event;
            return { ...rest, durationSeconds: seconds };
        }
        // Its level is the line's.
        case "note":
            return { type: event.type, message: event.message };
        default:
            return event;
    }
}

const verbs: Record<NodeResult["kind"], string> = {
    source: "extracted",
    seed: "loaded",
    model: "created",
    test: "tested",
    replay: "replayed",
    publish: "published",
};

function describeResult(result: NodeResult, index: number, total: number): string {
    const order = `${String(index).padStart(String(total).length)} of ${total}`;
    const text = `${order} ${label(result)} ${verbs[result.kind]} ${result.detail} ${result.name} `;
    const plain = `${order} ${result.status} ${verbs[result.kind]} ${result.detail} ${result.name} `;
    const dots = colours.dim(".".repeat(Math.max(3, lineWidth - plain.length)));
    const first = `${text}${dots} [${measure(result)}]`;
    const shown = result.message && result.status !== "success";
    return shown ? `${first}\n${result.message!.replace(/^/gm, "          ")}` : first;
}

function label(result: NodeResult): string {
    switch (result.status) {
        case "success":
            return colours.green(isVerdict(result) ? "PASS" : "OK");
        case "warned":
            return colours.yellow("WARN");
        case "failed":
            return colours.red(isVerdict(result) ? "FAIL" : "ERROR");
        case "skipped":
            return colours.yellow("SKIP");
        case "not_run":
            return colours.dim("NOT RUN");
    }
}

function isVerdict({ kind }: NodeResult): boolean {
    return kind === "test" || kind === "replay";
}

function measure(result: NodeResult): string {
    if (result.status === "skipped" || result.status === "not_run") return result.status.replace("_", " ");
    const parts: string[] = [];
    if (result.kind === "test") parts.push(countOf(result.rows ?? 0, "failing row"));
    else if (result.rows !== undefined) parts.push(countOf(result.rows, "row"));
    if (result.bytes !== undefined) {
        const rate = result.seconds > 0 ? `, ${formatBytes(result.bytes / result.seconds)}/s` : "";
        parts.push(`${formatBytes(result.bytes)}${rate}`);
    }
    return `${parts.join(", ")}${parts.length > 0 ? " in " : ""}${formatSeconds(result.seconds)}`;
}

export function summarizeStatuses(results: readonly NodeResult[]): string {
    const counts = new Map<string, number>();
    for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
    const words = [
        ["success", "ok"],
        ["warned", "warned"],
        ["failed", "failed"],
        ["skipped", "skipped"],
        ["not_run", "not run"],
    ] as const;
    return words
        .filter(([status]) => counts.has(status))
        .map(([status, word]) => `${formatCount(counts.get(status)!)} ${word}`)
        .join(", ");
}

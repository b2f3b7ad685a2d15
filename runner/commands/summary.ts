import colours from "picocolors";
import type { CompiledNode, CompiledProject } from "../compile/compiled.ts";
import { graphOf, reach } from "../compile/graph.ts";
import type { RunRecord } from "../status/artifacts.ts";
import type { NodeResult } from "../status/events.ts";
import { countOf, formatCount, formatSeconds, formatTable } from "../status/format.ts";
import { summarizeStatuses } from "../status/report-lines.ts";

/** The closing lines of a run: what was built, tested and published, what went wrong, and what to type next. */
export function summarizeRun(record: RunRecord, compiled: CompiledProject): string {
    const models = record.results.filter(({ kind, status }) => kind === "model" && status === "success");
    const tests = record.results.filter(({ kind }) => kind === "test");
    const parts = [""];
    if (record.status === "success" && models.length > 0) {
        parts.push(describeTables(models, compiled), "");
    }
    if (record.phases.length > 0) {
        const times = record.phases
            .map(({ phase, seconds }) => `${phase} ${formatSeconds(seconds)}`)
            .join(", ");
        parts.push(`${heading("Time")}${times}; ${formatSeconds(record.seconds)} in all`);
    }
    if (models.length > 0) {
        const rows = models.reduce((sum, { rows = 0 }) => sum + rows, 0);
        parts.push(`${heading("Built")}${countOf(models.length, "model")}, ${countOf(rows, "row")}`);
    }
    if (tests.length > 0)
        parts.push(`${heading("Tested")}${countOf(tests.length, "test")}: ${summarizeStatuses(tests)}`);
    if (record.audit) parts.push(`${heading("Replayed")}${describeAudit(record.audit)}`);
    if (record.command !== "test" && record.command !== "audit")
        parts.push(`${heading("Published")}${describePublication(record)}`);
    parts.push(...describeFailures(record.results));
    if (record.error !== undefined) parts.push("", `${colours.red("Error:")} ${record.error}`);
    parts.push("", describeEnd(record), ...describeNext(record, compiled));
    return parts.join("\n");
}

/** The marts and what is published: the tables a user came for. */
function describeTables(models: readonly NodeResult[], compiled: CompiledProject): string {
    const shown = models.filter(({ name }) => isPublished(compiled.nodes.get(name))).sort(widestFirst);
    if (shown.length === 0) return `${countOf(models.length, "model")} built, none of them published`;
    return formatTable(
        ["table", "rows", "columns", "seconds"],
        shown.map(({ name, rows = 0, columns = 0, seconds }) => [
            name,
            formatCount(rows),
            formatCount(columns),
            seconds.toFixed(2),
        ]),
    );
}

function describeAudit(audit: NonNullable<RunRecord["audit"]>): string {
    if ("off" in audit) return `nothing: ${audit.off}`;
    const { passed, days, rows, cells } = audit;
    const compared = `${countOf(days.length, "day")}, ${countOf(rows, "row")}, ${countOf(cells, "value")} compared`;
    return `${compared}: ${passed ? "none differs" : "some differ"} (target/audit.txt)`;
}

function describePublication({ publication, status }: RunRecord): string {
    if (publication?.generation === undefined) {
        return status === "success"
            ? "nothing (not asked for, or the target publishes nowhere)"
            : "nothing: what was in service is untouched";
    }
    const { generation, objects, swapMilliseconds } = publication;
    // Rows that changed in place, or not at all, kept no reader waiting.
    const time = swapMilliseconds > 0 ? `swapped within ${swapMilliseconds.toFixed(1)} ms` : "without a swap";
    const shown = [...objects].sort().slice(0, 3).join(", ");
    const more = objects.length > 3 ? ` and ${objects.length - 3} more (\`rebuild generations\`)` : "";
    return `generation ${generation}, ${time}: ${shown}${more}`;
}

function describeFailures(results: readonly NodeResult[]): readonly string[] {
    const failed = results.filter(({ status }) => status === "failed");
    if (failed.length === 0) return [];
    return [
        "",
        ...failed.map(
            ({ kind, name, message }) =>
                `${colours.red("Failed")} ${kind} ${name}${message ? `: ${firstLine(message)}` : ""}`,
        ),
    ];
}

function describeEnd({ status, exitCode, command, phases }: RunRecord): string {
    if (status === "success") return colours.green("Done.");
    const ran = new Set(phases.map(({ phase }) => phase));
    if (status === "skipped")
        return colours.yellow(`Skipped, exit code ${exitCode}: another run is under way.`);
    const word = status === "interrupted" ? "Interrupted" : "Failed";
    const after = ran.has("publish")
        ? " What was in service stays; `rebuild publish` tries the publication again."
        : command === "run" && ran.size > 0
          ? " The last good warehouse stays."
          : "";
    return colours.red(`${word}, exit code ${exitCode}.${after}`);
}

/** Three commands that go on from here, with names of this very project. */
function describeNext(record: RunRecord, compiled: CompiledProject): readonly string[] {
    if (record.status !== "success" || record.command !== "run") return [];
    const published = record.results.filter(
        ({ name, kind }) => kind === "model" && isPublished(compiled.nodes.get(name)),
    );
    const table = published.sort(widestFirst)[0]?.name;
    if (table === undefined) return [];
    const part = nearestTable(compiled, table);
    const commands = [
        [`rebuild show ${table} --limit 5`, "look at rows"],
        ...(part === undefined
            ? []
            : [[`rebuild run --select ${part}+`, "rebuild one model and what depends on it"]]),
        record.target === "sandbox"
            ? ["rebuild sandbox", "keep the database running and print its URL"]
            : ["rebuild test", "test again, whenever you like"],
    ];
    const width = Math.max(...commands.map(([text]) => text!.length));
    return ["", "Next:", ...commands.map(([text, why]) => `  npx ${text!.padEnd(width)}  # ${why}`)];
}

/** The last table of the order that flows into a model, directly or through views. */
function nearestTable(compiled: CompiledProject, name: string): string | undefined {
    const ancestors = reach([name], graphOf(compiled).parents);
    return compiled.order.findLast((one) => {
        const node = compiled.nodes.get(one);
        return ancestors.has(one) && node?.kind === "model" && node.config.materialized === "table";
    });
}

/** The wide tables are what a user came for. */
function widestFirst(one: NodeResult, other: NodeResult): number {
    return (other.columns ?? 0) - (one.columns ?? 0) || (other.rows ?? 0) - (one.rows ?? 0);
}

function isPublished(node: CompiledNode | undefined): boolean {
    return node?.kind === "model" && node.config.tags.includes("publish");
}

function heading(word: string): string {
    return colours.bold(word.padEnd(11));
}

function firstLine(text: string): string {
    return text.split("\n", 1)[0]!;
}

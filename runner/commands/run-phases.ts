import type { CompiledProject } from "../compile/compiled.ts";
import { assertionsFor, planBuild } from "../compile/plan.ts";
import { ConfigError } from "../errors.ts";
import { extractSources } from "../extract/extract-sources.ts";
import type { Project } from "../project/project.ts";
import type { Publication } from "../status/artifacts.ts";
import type { NodeResult, Phase, Report } from "../status/events.ts";
import { countOf, formatBytes } from "../status/format.ts";
import { summarizeStatuses } from "../status/report-lines.ts";
import type { AuditSummary } from "../testing/replay/audit.ts";
import { runTests } from "../testing/run-tests.ts";
import { buildNodes } from "../warehouse/build.ts";
import { readMetadata, type WarehouseMetadata } from "../warehouse/metadata.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { withBuildMemory } from "../warehouse/with-build-memory.ts";
import type { OpenSource } from "./connections.ts";

/** What the phases of a run leave behind, whether or not a later one fails. */
export interface RunLedger {
    readonly results: NodeResult[];
    readonly phases: { readonly phase: Phase; readonly seconds: number }[];
    sourceSnapshotAt?: Date;
    audit?: AuditSummary | { readonly off: string };
    publication?: Publication;
}

export interface PhaseContext {
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly ledger: RunLedger;
    readonly report: Report;
    readonly signal: AbortSignal;
    readonly now: () => Date;
    readonly note: (message: string) => void;
}

/** Runs one phase, reports its start and end, and notes its time even when it throws. */
export async function timePhase<T>(
    { ledger, report, now, signal }: Pick<PhaseContext, "ledger" | "report" | "now" | "signal">,
    phase: Phase,
    start: { readonly total?: number; readonly message?: string },
    work: () => Promise<{ readonly result: T; readonly message?: string }>,
): Promise<T> {
    signal.throwIfAborted();
    const startedAt = now().getTime();
    report({ type: "phase-start", phase, ...start });
    let seconds = 0;
    try {
        const { result, message } = await work();
        signal.throwIfAborted();
        seconds = (now().getTime() - startedAt) / 1000;
        report({ type: "phase-end", phase, seconds, ...(message !== undefined && { message }) });
        return result;
    } finally {
        seconds ||= (now().getTime() - startedAt) / 1000;
        ledger.phases.push({ phase, seconds });
    }
}

/** Copies the sources into the warehouse, all from one snapshot. */
export async function extractPhase(
    context: PhaseContext,
    warehouse: Warehouse,
    connection: OpenSource,
): Promise<void> {
    const { project, ledger, report, signal } = context;
    const total = project.sources.length;
    await timePhase(
        context,
        "extract",
        { total, message: `${countOf(total, "table")}, one snapshot` },
        async () => {
            const extracted = await extractSources({ project, connection, warehouse, report, signal });
            ledger.results.push(...extracted.results);
            ledger.sourceSnapshotAt = extracted.snapshotAt;
            for (const { source, column } of extracted.missingOptional) {
                report({
                    type: "note",
                    level: "info",
                    message: `${source}.${column} is optional and missing: models see NULL`,
                });
            }
            const rows = extracted.results.reduce((sum, result) => sum + (result.rows ?? 0), 0);
            const bytes = extracted.results.reduce((sum, result) => sum + (result.bytes ?? 0), 0);
            return { result: undefined, message: `${countOf(rows, "row")}, ${formatBytes(bytes)}` };
        },
    );
}

/** Seeds first, then models; returns whether all of them stand. */
export async function buildPhases(
    context: PhaseContext,
    warehouse: Warehouse,
    names: ReadonlySet<string>,
): Promise<boolean> {
    const kindOf = (name: string) => context.compiled.nodes.get(name)?.kind;
    const seeds = new Set([...names].filter((name) => kindOf(name) === "seed"));
    const models = new Set([...names].filter((name) => kindOf(name) === "model"));
    if (seeds.size > 0) await buildPhase(context, "seed", warehouse, seeds);
    if (context.ledger.results.some(isFailure)) return false;
    if (models.size > 0) await buildPhase(context, "build", warehouse, models);
    return !context.ledger.results.some(isFailure);
}

async function buildPhase(
    context: PhaseContext,
    phase: "seed" | "build",
    warehouse: Warehouse,
    names: ReadonlySet<string>,
): Promise<void> {
    const { project, compiled, ledger, report, signal } = context;
    const noun = phase === "seed" ? "seed" : "model";
    const total = planBuild(compiled, names).length;
    await timePhase(context, phase, { total, message: countOf(total, noun) }, async () => {
        const results = await withBuildMemory(warehouse, project.target.warehouse.memoryLimit, () =>
            buildNodes({ warehouse, project, compiled, names, report, signal }),
        );
        ledger.results.push(...results);
        return { result: undefined, message: summarizeStatuses(results) };
    });
}

/** Runs the tests that touch the named nodes; returns whether none failed. */
export async function testPhase(
    context: PhaseContext,
    warehouse: Warehouse,
    names: ReadonlySet<string>,
): Promise<boolean> {
    const { project, compiled, ledger, report, signal } = context;
    return timePhase(context, "test", { message: "tests of what was built" }, async () => {
        const touched = new Set([...names, ...assertionsFor(compiled, names)]);
        // More than four side by side gain nothing; where memory is short they must be fewer.
        const concurrency = Math.min(4, project.target.warehouse.concurrency);
        const results = await runTests({ warehouse, compiled, names: touched, report, signal, concurrency });
        ledger.results.push(...results);
        return { result: !results.some(isFailure), message: summarizeStatuses(results) || "no tests" };
    });
}

/**
 * What the last good warehouse holds, checked: a partial run stands on its sources and on every model it does not
 * build.
 */
export async function readBase(
    { compiled }: Pick<PhaseContext, "compiled">,
    warehouse: Warehouse,
    names: ReadonlySet<string>,
): Promise<WarehouseMetadata> {
    const metadata = await readMetadata(warehouse);
    if (!metadata)
        throw new ConfigError(
            `${warehouse.path} was not written by \`rebuild run\`. Run \`rebuild run\` first.`,
        );
    const rows = await warehouse.rows(
        "select table_name as name from duckdb_tables() union all select view_name from duckdb_views()",
    );
    const present = new Set(rows.map(({ name }) => String(name)));
    const missing = new Map<string, string>();
    for (const name of names) {
        for (const ref of compiled.nodes.get(name)?.refs ?? []) {
            const node = compiled.nodes.get(ref);
            const stored =
                node?.kind === "seed" || (node?.kind === "model" && isStored(node.config.materialized));
            if (stored && !names.has(ref) && !present.has(ref)) missing.set(ref, name);
        }
    }
    if (missing.size > 0) {
        const list = [...missing].map(([ref, name]) => `${ref} (needed by ${name})`).join(", ");
        throw new ConfigError(
            `The last good warehouse, of run ${metadata.runId}, lacks ${list}.\n` +
                "Select what is missing as well, such as `--select +name`, or run `rebuild run` without a selection.",
        );
    }
    return metadata;
}

function isStored(materialized: string): boolean {
    return materialized !== "ephemeral" && materialized !== "postgres_materialized_view";
}

export function isFailure(result: NodeResult): boolean {
    return result.status === "failed" || result.status === "skipped" || result.status === "not_run";
}

import { existsSync } from "node:fs";
import type { CompiledProject } from "../compile/compiled.ts";
import { planBuild } from "../compile/plan.ts";
import { selectNodes } from "../compile/select.ts";
import { ConfigError } from "../errors.ts";
import type { PublishOverride } from "../publish/steps.ts";
import { scrub } from "../secrets.ts";
import { type RunRecord, writeCompiled } from "../status/artifacts.ts";
import { formatAge } from "../status/format.ts";
import { withGeneration } from "../warehouse/generation.ts";
import { writeAuditSummary, writeMetadata } from "../warehouse/metadata.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { auditGate } from "./audit-phase.ts";
import { checkLint } from "./check-lint.ts";
import { type Connections, describeTarget, withConnections } from "./connections.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { publishGood, repeatWhileLost } from "./persist.ts";
import { prepare } from "./prepare.ts";
import { withPublishLock } from "./publish-phase.ts";
import { type RunContext, recordRun } from "./record-run.ts";
import { rehearse } from "./rehearse.ts";
import { buildPhases, extractPhase, type PhaseContext, readBase, testPhase } from "./run-phases.ts";

export interface RunOptions extends CommonOptions, SelectionOptions {
    readonly publish: boolean;
    /** Gates that the publish step may overlook, by name. */
    readonly overrides: readonly PublishOverride[];
}

/**
 * The main job: lock, extract, seed, build, test, publish. With a selection it starts from the last good
 * warehouse and its sources. What went wrong with models, tests or the publication is in the record, and so
 * is what kept the run from going on: only a project that cannot be read or a lock that is taken is thrown.
 */
export async function run(options: RunOptions, environment: Environment): Promise<RunRecord> {
    const prepared = await prepare(options, environment);
    const { project, compiled, settings: asked } = prepared;
    checkLint(project, compiled, environment.output.note);
    const names = buildable(selectNodes(compiled, options), compiled);
    const partial = options.select.length > 0 || options.exclude.length > 0;
    const { warehouse: settings } = project.target;
    if (partial && !existsSync(settings.path)) {
        throw new ConfigError(
            `--select and --exclude start from the last good warehouse, and ${settings.path} does not exist yet.\n` +
                "Run `rebuild run` without a selection first.",
        );
    }
    const planned = new Set(planBuild(compiled, names).map(({ name }) => name));
    return recordRun(
        { options, environment, prepared, command: "run", names: planned, exclusive: true },
        async (context) => {
            if (asked.testMode) return rehearse(context, prepared.phases);
            await writeCompiled(project, compiled, prepared.targetDirectory);
            await repeatWhileLost(
                context,
                // Once anything was built the sources have been read: what is lost after that is the publisher's.
                () => context.ledger.results.length === 0,
                () => runOnce(context, options, names, partial),
            );
        },
    );
}

/** Everything under one lock. */
async function runOnce(
    context: RunContext,
    { publish, overrides }: RunOptions,
    names: ReadonlySet<string>,
    partial: boolean,
): Promise<void> {
    const { project, runId } = context;
    const start = partial ? "last-good" : "empty";
    await withConnections(project.target, { ...context, root: project.root }, (connections) =>
        withPublishLock({ ...context, connections, wanted: publish }, async (lock) => {
            let built = false;
            const build = async (warehouse: Warehouse) => {
                if (partial) await adoptSources(context, warehouse, names, runId);
                else await readSources(context, warehouse, connections, runId);
                built = await buildPhases(context, warehouse, names);
            };
            const good = await withGeneration(
                project.target.warehouse,
                { runId, start, build },
                async (warehouse) => {
                    const tested = built && (await testPhase(context, warehouse, names));
                    const wish = { names, isPartial: partial };
                    const passed = tested && (await auditGate(context, warehouse, wish));
                    if (passed) await writeAuditSummary(warehouse, context.ledger.audit);
                    return { promote: passed, result: passed };
                },
            );
            if (good && lock) await publishGood(context, { connections, lock, names, overrides });
        }),
    );
}

/** The models and seeds among what was selected. */
export function buildable(selected: ReadonlySet<string>, compiled: CompiledProject): ReadonlySet<string> {
    return new Set([...selected].filter((name) => compiled.nodes.get(name)?.kind !== "assertion"));
}

async function readSources(
    context: PhaseContext,
    warehouse: Warehouse,
    connections: Connections,
    runId: string,
): Promise<void> {
    const { ledger, project, now } = context;
    const startedAt = now();
    await extractPhase(context, warehouse, connections.source);
    const source = scrub(describeTarget(project.target));
    const snapshotAt = ledger.sourceSnapshotAt;
    await writeMetadata(warehouse, { runId, startedAt, source, ...(snapshotAt && { snapshotAt }) });
}

/** A partial run keeps the sources of the last good warehouse, and says how old they are. */
async function adoptSources(
    context: PhaseContext,
    warehouse: Warehouse,
    names: ReadonlySet<string>,
    runId: string,
): Promise<void> {
    const { ledger, now } = context;
    const base = await readBase(context, warehouse, names);
    await writeMetadata(warehouse, { ...base, runId });
    if (!base.snapshotAt) return;
    ledger.sourceSnapshotAt = base.snapshotAt;
    const age = (now().getTime() - base.snapshotAt.getTime()) / 1000;
    context.note(
        `starting from run ${base.runId}, whose sources were read ${formatAge(age)} ago (${base.snapshotAt.toISOString()})`,
    );
}

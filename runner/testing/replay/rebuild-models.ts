import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
import { planBuild } from "../../compile/plan.ts";
import { QueryError, RebuildError } from "../../errors.ts";
import { quoteName } from "../../names.ts";
import { loadTypeScriptModel } from "../../project/load-typescript-model.ts";
import type { Project } from "../../project/project.ts";
import { prepareWarehouse } from "../../warehouse/build.ts";
import { relationName } from "../../warehouse/materialize.ts";
import { describeModelError } from "../../warehouse/model-error.ts";
import { runTypeScriptModel } from "../../warehouse/run-typescript-model.ts";
import { runGraph } from "../../warehouse/schedule.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import type { ReplayPlan } from "./replay-plan.ts";
import { atMorningOf } from "./script-clock.ts";

export interface RebuildOptions {
    /** Holds the perturbed sources already. */
    readonly scratch: Warehouse;
    /** Quoted catalog of the full build. */
    readonly base: string;
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly plan: ReplayPlan;
    /** Scripts are run in the morning of this day, ISO. Default: now. */
    readonly morning?: string;
    /** Drop nothing: what is made is read later. */
    readonly isKept?: boolean;
    readonly signal: AbortSignal;
}

/** A model of the plan, made again: its relation, or its query in brackets. */
export type Visit = (model: CompiledModel, relationOf: (model: string) => string) => Promise<void>;

/**
 * Makes the models of a plan again and shows those that are audited, as soon as they stand. What all its readers have
 * read is dropped, so that not all models lie in memory at once. Returns what could not be made, and why.
 */
export async function rebuildModels(
    { scratch, base, project, compiled, plan, morning, isKept, signal }: RebuildOptions,
    visit: Visit = async () => {},
): Promise<ReadonlyMap<string, string>> {
    await prepareWarehouse(scratch, compiled);
    const rebuilt = new Map(plan.rebuilt.map((model) => [model.name, model]));
    for (const name of unchangedReads(compiled, rebuilt)) {
        await scratch.execute(
            `create view main.${quoteName(name)} as select * from ${base}.main.${quoteName(name)}`,
        );
    }
    const steps = planBuild(compiled, new Set(rebuilt.keys()));
    const blockers = new Map(steps.map((step) => [step.name, step.blockers]));
    const audited = new Set(plan.audited.map(({ name }) => name));
    const reads = new Map(steps.map(({ name }) => [name, readsOf(name, rebuilt, plan.leaves)]));
    const pending = new Map<string, number>();
    for (const name of [...reads.values()].flatMap((names) => [...names]))
        pending.set(name, (pending.get(name) ?? 0) + 1);
    const relationOf = (name: string) =>
        plan.leaves.has(name) ? `(\n${rebuilt.get(name)!.sql}\n)` : `main.${quoteName(name)}`;
    const isTable = (name: string) =>
        rebuilt.has(name) && !plan.leaves.has(name) && rebuilt.get(name)!.config.materialized !== "view";
    const release = async (name: string) => {
        for (const read of reads.get(name)!) {
            const left = pending.get(read)! - 1;
            pending.set(read, left);
            if (left === 0 && isTable(read))
                await scratch.execute(`drop table if exists ${relationOf(read)}`);
        }
    };
    const failures = new Map<string, string>();

    await runGraph(
        {
            order: steps.map(({ name }) => name),
            dependencies: (name) => {
                const { movesFrom } = rebuilt.get(name)!.config;
                return [...blockers.get(name)!, ...(movesFrom === undefined ? [] : [movesFrom])];
            },
            concurrency: project.target.warehouse.concurrency,
            signal,
        },
        {
            async run(name) {
                const model = rebuilt.get(name)!;
                try {
                    if (!plan.leaves.has(name)) {
                        await makeRelation(model, { scratch, project, morning, signal });
                    }
                    if (audited.has(name)) await visit(model, relationOf);
                    return true;
                } catch (error) {
                    signal.throwIfAborted();
                    if (isOfTheMachine(error)) throw error;
                    failures.set(name, describeFailure(error, model));
                    return false;
                } finally {
                    if (!isKept && !signal.aborted) await release(name);
                }
            },
            skip(name, cause) {
                failures.set(name, `not made, because ${cause} failed`);
            },
        },
    );
    signal.throwIfAborted();
    return failures;
}

interface MakeOptions extends Pick<RebuildOptions, "scratch" | "project" | "signal"> {
    readonly morning: string | undefined;
}

/**
 * In an empty database nothing has to be looked up or dropped before, and a model that was built needs no check of its
 * form: a third of the time of a small replay. Nothing is written outside of it, so an external model is a table.
 */
async function makeRelation(
    model: CompiledModel,
    { scratch, project, morning, signal }: MakeOptions,
): Promise<void> {
    if (model.language === "typescript") {
        const program = await loadTypeScriptModel(project.root, model.file);
        const run = () => runTypeScriptModel(scratch, model, program, project, signal);
        return morning === undefined ? run() : atMorningOf(morning, run);
    }
    const kind = model.config.materialized === "view" ? "view" : "table";
    await scratch.execute(`create ${kind} ${relationName(model.name)} as\n${model.sql}`);
}

/** What the rebuilt models read that is not rebuilt, through ephemeral models too. */
function unchangedReads(
    { nodes }: CompiledProject,
    rebuilt: ReadonlyMap<string, CompiledModel>,
): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (name: string) => {
        if (rebuilt.has(name)) return;
        const node = nodes.get(name)!;
        if (node.kind === "model" && node.config.materialized === "ephemeral") node.refs.forEach(visit);
        else found.add(name);
    };
    for (const { refs } of rebuilt.values()) refs.forEach(visit);
    return found;
}

/** The relations that making and comparing a model reads, through views and queries that are run in place. */
function readsOf(
    name: string,
    rebuilt: ReadonlyMap<string, CompiledModel>,
    leaves: ReadonlySet<string>,
): ReadonlySet<string> {
    const found = new Set<string>([name]);
    const visit = (model: CompiledModel) => {
        const { movesFrom } = model.config;
        for (const ref of movesFrom === undefined ? model.refs : [...model.refs, movesFrom]) {
            const read = rebuilt.get(ref);
            if (!read || found.has(ref)) continue;
            found.add(ref);
            if (leaves.has(ref) || ["view", "ephemeral"].includes(read.config.materialized)) visit(read);
        }
    };
    visit(rebuilt.get(name)!);
    return found;
}

/** What says nothing of the model: no memory, no disk, a bug of the engine. */
function isOfTheMachine(error: unknown): boolean {
    return (
        error instanceof QueryError && /^(Out of Memory|IO|Internal|FATAL)/i.test(error.failure.code ?? "")
    );
}

function describeFailure(error: unknown, model: CompiledModel): string {
    if (error instanceof QueryError) return describeModelError(error, model);
    if (error instanceof RebuildError) return error.message;
    if (error instanceof Error) return error.stack ?? error.message;
    return String(error);
}

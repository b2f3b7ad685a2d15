import type { CompiledModel, CompiledProject, CompiledSeed } from "../compile/compiled.ts";
import { planBuild } from "../compile/plan.ts";
import { QueryError, RebuildError } from "../errors.ts";
import { loadTypeScriptModel } from "../project/load-typescript-model.ts";
import type { Project } from "../project/project.ts";
import { scrub } from "../secrets.ts";
import type { NodeResult, Report } from "../status/events.ts";
import { loadSeed } from "./load-seed.ts";
import { materialize, relationName } from "./materialize.ts";
import { describeModelError } from "./model-error.ts";
import { runTypeScriptModel } from "./run-typescript-model.ts";
import { runGraph } from "./schedule.ts";
import type { Warehouse } from "./types.ts";

export interface BuildOptions {
    readonly warehouse: Warehouse;
    readonly project: Project;
    readonly compiled: CompiledProject;
    /** Models and seeds to build; what they refer to beyond them must be in the warehouse. */
    readonly names: ReadonlySet<string>;
    readonly report: Report;
    readonly signal: AbortSignal;
}

type Buildable = CompiledModel | CompiledSeed;

/**
 * Builds models and seeds in dependency order, side by side where the graph allows. A node that fails
 * skips what depends on it; the others finish. Ephemeral models and the target's materialized views make no
 * relation here and have no result.
 */
export async function buildNodes(options: BuildOptions): Promise<readonly NodeResult[]> {
    const { warehouse, project, compiled, names, report, signal } = options;
    await prepareWarehouse(warehouse, compiled);
    const steps = new Map(planBuild(compiled, names).map((step) => [step.name, step]));
    const nodes = new Map([...steps.keys()].map((name) => [name, compiled.nodes.get(name) as Buildable]));
    const total = nodes.size;
    const results = new Map<string, NodeResult>();
    let index = 0;

    const finish = (
        node: Buildable,
        place: number,
        outcome: Omit<NodeResult, "name" | "kind" | "detail">,
    ) => {
        const result = { ...identity(node), ...outcome };
        results.set(node.name, result);
        report({ type: "node-end", result, index: place, total });
        return result.status === "success";
    };

    // An interrupt can be lost between two statements of a node, so the pool repeats it; see there.
    const interrupt = () => warehouse.interrupt();
    signal.addEventListener("abort", interrupt);
    try {
        await runGraph(
            {
                order: [...nodes.keys()],
                dependencies: (name) => steps.get(name)!.blockers,
                concurrency: project.target.warehouse.concurrency,
                signal,
            },
            {
                async run(name) {
                    const node = nodes.get(name)!;
                    const place = ++index;
                    report({ type: "node-start", ...identity(node), index: place, total });
                    const started = performance.now();
                    const seconds = () => (performance.now() - started) / 1000;
                    try {
                        await buildNode(node, options);
                        const size = await measure(warehouse, node);
                        return finish(node, place, { status: "success", seconds: seconds(), ...size });
                    } catch (error) {
                        const message = scrub(describeFailure(error, node, signal));
                        return finish(node, place, { status: "failed", seconds: seconds(), message });
                    }
                },
                skip(name, cause) {
                    const message = `skipped, because ${cause} failed`;
                    finish(nodes.get(name)!, ++index, { status: "skipped", seconds: 0, message });
                },
            },
        );
    } finally {
        signal.removeEventListener("abort", interrupt);
    }
    return [...nodes.values()].map(
        (node) =>
            results.get(node.name) ?? {
                ...identity(node),
                status: "not_run",
                seconds: 0,
                message: "not run, because the run was interrupted",
            },
    );
}

/** Schemas and macros that the models' SQL takes for granted. */
export async function prepareWarehouse(warehouse: Warehouse, compiled: CompiledProject): Promise<void> {
    await warehouse.execute("create schema if not exists sources");
    await createMacros(warehouse, compiled.macros);
}

/** A macro may call another one, so what fails is tried again as long as the others get somewhere. */
async function createMacros(warehouse: Warehouse, macros: CompiledProject["macros"]): Promise<void> {
    let waiting = macros;
    while (waiting.length > 0) {
        const failed: { macro: CompiledProject["macros"][number]; error: unknown }[] = [];
        for (const macro of waiting) {
            try {
                await warehouse.execute(macro.sql);
            } catch (error) {
                failed.push({ macro, error });
            }
        }
        const first = failed[0];
        if (first && failed.length === waiting.length) {
            const reason = first.error instanceof Error ? first.error.message : String(first.error);
            const failure = first.error instanceof QueryError ? first.error.failure : undefined;
            throw new QueryError(`${first.macro.file}: ${reason}`, failure ?? { engine: "duckdb" }, {
                cause: first.error,
            });
        }
        waiting = failed.map(({ macro }) => macro);
    }
}

async function buildNode(node: Buildable, options: BuildOptions): Promise<void> {
    const { warehouse, project, signal } = options;
    if (node.kind === "seed") return loadSeed(warehouse, node, project.root);
    if (node.language === "sql") return materialize(warehouse, node, project);
    const program = await loadTypeScriptModel(project.root, node.file);
    return runTypeScriptModel(warehouse, node, program, project, signal);
}

async function measure(
    warehouse: Warehouse,
    node: Buildable,
): Promise<{ readonly rows?: number; readonly columns: number }> {
    const relation = relationName(node.name);
    const columns = (await warehouse.describe(`select * from ${relation}`)).length;
    // Counting a view's rows runs it: worth it only where they go into a target.
    if (node.kind === "model" && node.config.materialized === "view" && !node.config.tags.includes("publish"))
        return { columns };
    const [count] = await warehouse.rows(`select count(*) as rows from ${relation}`);
    return { rows: Number(count?.rows), columns };
}

function identity(node: Buildable): Pick<NodeResult, "name" | "kind" | "detail"> {
    const { name, kind } = node;
    return { name, kind, detail: node.kind === "seed" ? "seed" : node.config.materialized };
}

function describeFailure(error: unknown, node: Buildable, signal: AbortSignal): string {
    if (signal.aborted) return "interrupted";
    if (node.kind === "model" && error instanceof QueryError) return describeModelError(error, node);
    if (error instanceof RebuildError) return error.message;
    // The author's own code in a TypeScript model: the stack says where.
    if (error instanceof Error) return node.kind === "model" ? (error.stack ?? error.message) : error.message;
    return String(error);
}

import { compileProject } from "../../runner/compile/compile-project.ts";
import type { Project } from "../../runner/project/project.ts";
import type { Audit } from "../../runner/testing/replay/audit.ts";
import { chooseDays } from "../../runner/testing/replay/choose-days.ts";
import { planAudit } from "../../runner/testing/replay/plan-audit.ts";
import { planJobs } from "../../runner/testing/replay/plan-jobs.ts";
import { runAudit } from "../../runner/testing/replay/run-audit.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { withLeakGrid } from "./leak-grid.ts";

interface GridOptions {
    /** With all models built in it; the grid's are added. */
    readonly project: Project;
    readonly warehouse: Warehouse;
    /** Events in a slice. */
    readonly slice: number;
    /** As AuditOptions has it. */
    readonly readsQueries?: boolean;
    /** Of the audit: which days, and what of a slice the lot decides. */
    readonly seed: number;
    /** Of the grid's models, those whose names match. Default: all. */
    readonly only?: string;
}

/** What the audit of a run finds of the grid, and what the same days show when all of them are replayed whole. */
export interface GridAudit {
    readonly columns: number;
    /** Replays that were done on slices, and once more whole. */
    readonly sliced: readonly string[];
    /** `model.column` that differs on a whole replay, by the number of rows that do. */
    readonly whole: ReadonlyMap<string, number>;
    /** Of these, what the audit does not find. */
    readonly missed: readonly string[];
}

export async function auditGrid({
    project: own,
    warehouse,
    slice,
    readsQueries = true,
    seed,
    only = "",
}: GridOptions): Promise<GridAudit> {
    const { project, columns: columnsOf } = await withLeakGrid(own, warehouse);
    const compiled = compileProject(project);
    const names = new Set([...columnsOf.keys()].filter((name) => new RegExp(only).test(name)));
    const common = {
        project,
        compiled,
        warehouse,
        names,
        report: () => undefined,
        signal: new AbortController().signal,
    };
    const built = await buildNodes(common);
    const failed = built.find(({ status }) => status !== "success");
    if (failed) throw new Error(`${failed.name}: ${failed.message}`);
    const plan = planAudit(await chooseDays(warehouse, project.sources, { days: 5, seed }));
    const jobs = await planJobs(warehouse, project.sources, plan, slice);
    const sliced = jobs.filter(({ isSliced }) => isSliced).flatMap(({ replays }) => replays);
    const options = { ...common, seed, traceSeconds: 0, readsQueries };
    const { audit } = await runAudit({ ...options, plan, slice });
    const found = leakingColumns(audit);
    // The other days are replayed whole by the audit itself.
    const late = leakingColumns((await runAudit({ ...options, plan: sliced })).audit);
    const early = leakingColumns({
        ...audit,
        replays: audit.replays.filter(({ slice: part, why }) => !part && why !== "unseen"),
    });
    const whole = new Map([...early, ...late]);
    return {
        columns: [...names].reduce((sum, name) => sum + columnsOf.get(name)!, 0),
        sliced: sliced.map(({ day, perturbation }) => `${day} ${perturbation}`),
        whole,
        missed: [...whole.keys()].filter((column) => !found.has(column)),
    };
}

function leakingColumns({ replays }: Audit): ReadonlyMap<string, number> {
    const failure = replays.flatMap(({ models }) => models).find((model) => model.failure !== undefined);
    if (failure) throw new Error(`${failure.model}: ${failure.failure}`);
    return new Map(
        replays.flatMap(({ models }) =>
            models.flatMap(({ model, columns }) =>
                columns.map(({ column, rows }) => [`${model}.${column}`, rows] as const),
            ),
        ),
    );
}

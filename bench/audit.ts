/**
 * What the audit of a run costs beside the build it proves: `npx tsx bench/audit.ts [--warehouse
 * target/warehouse.duckdb] [--days 5] [--seed 1] [--whole]`. Needs the warehouse of a run; only its sources are read.
 * Fails when the audit takes longer than the build, but with --whole.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileProject } from "../runner/compile/compile-project.ts";
import { quoteName, quoteText } from "../runner/names.ts";
import { loadProject } from "../runner/project/load-project.ts";
import { chooseDays } from "../runner/testing/replay/choose-days.ts";
import { planAudit } from "../runner/testing/replay/plan-audit.ts";
import { runAudit } from "../runner/testing/replay/run-audit.ts";
import { buildNodes } from "../runner/warehouse/build.ts";
import { withWarehouse } from "../runner/warehouse/warehouse.ts";
import { withBuildMemory } from "../runner/warehouse/with-build-memory.ts";

const { values } = parseArgs({
    options: {
        warehouse: { type: "string", default: "target/warehouse.duckdb" },
        days: { type: "string", default: "5" },
        seed: { type: "string", default: "1" },
        whole: { type: "boolean", default: false },
    },
});
const project = await loadProject({ root: process.cwd(), env: {}, target: "sandbox" });
const compiled = compileProject(project);
const { signal } = new AbortController();
const report = () => undefined;

async function measure<T>(name: string, work: () => Promise<T>) {
    const [clock, before] = [performance.now(), process.cpuUsage()];
    const result = await work();
    const seconds = (performance.now() - clock) / 1000;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1e6;
    console.log(
        `${name.padEnd(28)} ${seconds.toFixed(1).padStart(6)} s ${cpu.toFixed(1).padStart(6)} s of CPU`,
    );
    return { result, seconds, cpu };
}

const directory = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
try {
    const file = join(directory, "bench.duckdb");
    await withWarehouse(file, project.target.warehouse, async (warehouse) => {
        await warehouse.execute(`attach ${quoteText(resolve(values.warehouse))} as good (read_only)`);
        await warehouse.execute("create schema if not exists sources");
        for (const { name } of project.sources) {
            const relation = `sources.${quoteName(name)}`;
            await warehouse.execute(`create table ${relation} as from good.${relation}`);
        }
        await warehouse.execute("detach good");
        const build = async (kind: string) => {
            const nodes = [...compiled.nodes.values()].filter((node) => node.kind === kind);
            const names = new Set(nodes.map(({ name }) => name));
            const built = await buildNodes({ warehouse, project, compiled, names, report, signal });
            const failed = built.find(({ status }) => status !== "success");
            if (failed) throw new Error(`${failed.name}: ${failed.message}`);
        };
        await build("seed");
        const { memoryLimit } = project.target.warehouse;
        // As a run builds them: within another limit it would be another build.
        const built = await measure("build of the models", () =>
            withBuildMemory(warehouse, memoryLimit, () => build("model")),
        );
        const { seed, history } = { ...project.audit, seed: Number(values.seed) };
        const count = Number(values.days);
        const audit = await measure(`audit of ${count} days`, async () => {
            const plan = planAudit(await chooseDays(warehouse, project.sources, { days: count, seed }));
            const slice = values.whole || history === "whole" ? {} : { slice: history };
            const options = { project, compiled, warehouse, plan, seed, report, signal, ...slice };
            return runAudit({ ...options, traceSeconds: 0 });
        });
        for (const { day, why, perturbation, slice, seconds } of audit.result.audit.replays) {
            const part = slice ? `${slice.events} of ${slice.ofEvents} events` : "whole";
            console.log(
                `  ${day} ${why.padEnd(8)} ${perturbation.padEnd(10)} ${seconds.toFixed(1)} s, ${part}`,
            );
        }
        const ratio = audit.seconds / built.seconds;
        const ofCpu = (audit.cpu / built.cpu).toFixed(2);
        console.log(
            `audit / build ${ratio.toFixed(2)}${values.whole ? "" : ", at most 1"}; of the processor's time ${ofCpu}`,
        );
        if (!values.whole && ratio > 1) process.exitCode = 1;
    });
} finally {
    await rm(directory, { recursive: true, force: true });
}

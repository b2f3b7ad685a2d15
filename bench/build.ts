/**
 * What building the models costs, one by one, against storing what they give: `npx tsx bench/build.ts [--warehouse
 * target/warehouse.duckdb] [--concurrency 1] [--memory 1GB]`. Needs the warehouse of a run; only its sources are read.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileProject } from "../runner/compile/compile-project.ts";
import { quoteText } from "../runner/names.ts";
import { loadProject } from "../runner/project/load-project.ts";
import type { RunEvent } from "../runner/status/events.ts";
import { buildNodes } from "../runner/warehouse/build.ts";
import { createTable, relationName } from "../runner/warehouse/materialize.ts";
import { withWarehouse } from "../runner/warehouse/warehouse.ts";
import { withBuildMemory } from "../runner/warehouse/with-build-memory.ts";

const { values } = parseArgs({
    options: {
        warehouse: { type: "string", default: "target/warehouse.duckdb" },
        // One at a time, so that the processor's time is that of one model.
        concurrency: { type: "string", default: "1" },
        memory: { type: "string", default: "4GB" },
        threads: { type: "string", default: "2" },
    },
});
const root = process.cwd();
const loaded = await loadProject({ root, env: {}, target: "sandbox" });
const limits = {
    ...loaded.target.warehouse,
    concurrency: Number(values.concurrency),
    threads: Number(values.threads),
    memoryLimit: values.memory,
};
const project = { ...loaded, target: { ...loaded.target, warehouse: limits } };
const compiled = compileProject(project);
const named = (kind: string) =>
    new Set([...compiled.nodes.values()].filter((node) => node.kind === kind).map(({ name }) => name));

const costs: { name: string; seconds: number; cpu: number; cells: number }[] = [];
const started = new Map<string, NodeJS.CpuUsage>();
function report(event: RunEvent): void {
    if (event.type === "node-start") started.set(event.name, process.cpuUsage());
    if (event.type !== "node-end") return;
    const { name, status, seconds, rows = 0, columns = 0, message } = event.result;
    if (status !== "success") throw new Error(`${name}: ${message}`);
    costs.push({ name, seconds, cpu: cpuSince(started.get(name)), cells: rows * columns });
}

function cpuSince(before: NodeJS.CpuUsage | undefined): number {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
}

const row = (name: string, seconds: number, cpu: number, note: string) =>
    console.log(
        `${name.padEnd(34)} ${seconds.toFixed(2).padStart(7)} s ${cpu.toFixed(2).padStart(7)} s of CPU  ${note}`,
    );

const directory = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
try {
    await withWarehouse(join(directory, "bench.duckdb"), limits, async (warehouse) => {
        const signal = new AbortController().signal;
        const build = (names: ReadonlySet<string>) =>
            buildNodes({ warehouse, project, compiled, names, report, signal });
        await warehouse.execute(`attach ${quoteText(resolve(values.warehouse))} as good (read_only)`);
        await warehouse.execute("create schema if not exists sources");
        for (const { name } of project.sources) {
            await warehouse.execute(`create table sources."${name}" as from good.sources."${name}"`);
        }
        await warehouse.execute("detach good");
        await build(named("seed"));
        costs.length = 0;

        const before = process.cpuUsage();
        const clock = performance.now();
        // Within the limit of a run: another one would be another build.
        await withBuildMemory(warehouse, limits.memoryLimit, () => build(named("model")));
        const seconds = (performance.now() - clock) / 1000;
        const cpu = cpuSince(before);
        const memory = (await readFile("/proc/self/status", "utf8")).match(/VmHWM:\s+(\d+)/)?.[1];

        for (const cost of costs.sort((one, other) => other.cpu - one.cpu)) {
            row(cost.name, cost.seconds, cost.cpu, `${(cost.cells / 1e6).toFixed(1)} million values`);
        }
        const stored = await warehouse.rows(
            "select table_name as name from duckdb_tables() where schema_name = 'main' and database_name = current_database()",
        );
        const models = stored.map(({ name }) => String(name)).filter((name) => named("model").has(name));
        await warehouse.execute("create schema copies");
        const bareBefore = process.cpuUsage();
        const bareClock = performance.now();
        for (const name of models) {
            const copy = relationName(name, "copies");
            // As models are stored: to find out how to compress takes longer than to store.
            const columns = await warehouse.describe(`from ${relationName(name)}`);
            await warehouse.execute(createTable(copy, columns, limits));
            await warehouse.execute(`insert into ${copy} from ${relationName(name)}`);
        }
        const bareSeconds = (performance.now() - bareClock) / 1000;
        const bare = cpuSince(bareBefore);
        const cells = costs.reduce((sum, cost) => sum + cost.cells, 0);
        row("all models", seconds, cpu, `${(cells / 1e6).toFixed(0)} million values`);
        row(
            "storing the same tables, bare",
            bareSeconds,
            bare,
            `the build takes ${(cpu / bare).toFixed(1)} times as much`,
        );
        console.log(`peak memory of the process ${(Number(memory) / 1024).toFixed(0)} MB`);
    });
} finally {
    await rm(directory, { recursive: true, force: true });
}

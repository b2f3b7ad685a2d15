/**
 * Whether an audit on slices finds what whole replays of the same days find, of features generated to leak: `npx tsx
 * bench/slices.ts [--warehouse target/warehouse.duckdb] [--seed 1] [--slice 1500] [--only from_]`. Needs the warehouse
 * of a run; only its sources are read. Fails when a leak that is found whole is not found by the audit. Takes some ten
 * builds.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileProject } from "../runner/compile/compile-project.ts";
import { quoteName, quoteText } from "../runner/names.ts";
import { loadProject } from "../runner/project/load-project.ts";
import { buildNodes } from "../runner/warehouse/build.ts";
import { withWarehouse } from "../runner/warehouse/warehouse.ts";
import { auditGrid } from "../tests/leakage/audit-grid.ts";

const { values } = parseArgs({
    options: {
        warehouse: { type: "string", default: "target/warehouse.duckdb" },
        seed: { type: "string", default: "1" },
        slice: { type: "string", default: "1500" },
        // A regular expression: the grid in parts, where time or memory is short.
        only: { type: "string", default: "" },
    },
});
const project = await loadProject({ root: process.cwd(), env: {}, target: "sandbox" });
const compiled = compileProject(project);
const directory = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
try {
    await withWarehouse(join(directory, "bench.duckdb"), project.target.warehouse, async (warehouse) => {
        await warehouse.execute(`attach ${quoteText(resolve(values.warehouse))} as good (read_only)`);
        await warehouse.execute("create schema if not exists sources");
        for (const { name } of project.sources) {
            const relation = `sources.${quoteName(name)}`;
            await warehouse.execute(`create table ${relation} as from good.${relation}`);
        }
        await warehouse.execute("detach good");
        const names = new Set(
            [...compiled.nodes.values()]
                .filter(({ kind }) => kind === "seed" || kind === "model")
                .map(({ name }) => name),
        );
        const { signal } = new AbortController();
        const built = await buildNodes({
            warehouse,
            project,
            compiled,
            names,
            report: () => undefined,
            signal,
        });
        const failed = built.find(({ status }) => status !== "success");
        if (failed) throw new Error(`${failed.name}: ${failed.message}`);
        const { columns, sliced, whole, missed } = await auditGrid({
            project,
            warehouse,
            slice: Number(values.slice),
            seed: Number(values.seed),
            only: values.only,
        });
        console.log(`on slices of ${values.slice} events: ${sliced.join(", ")}`);
        console.log(
            `of ${columns} generated columns ${whole.size} leak on the whole history, the audit finds ${whole.size - missed.length}`,
        );
        for (const column of missed)
            console.log(`  missed ${column}, which differs in ${whole.get(column)} rows`);
        if (missed.length > 0 || sliced.length === 0) process.exitCode = 1;
    });
} finally {
    await rm(directory, { recursive: true, force: true });
}

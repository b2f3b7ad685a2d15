/**
 * How fast rows go out of DuckDB and into it, against what the engine needs without us, in the same run:
 * `npx tsx bench/warehouse.ts [--rows 250000] [--columns 151]`.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${c} stands for the number of a column
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ColumnChunk } from "../runner/model.ts";
import { withWarehouse } from "../runner/warehouse/warehouse.ts";

const { values } = parseArgs({
    options: { rows: { type: "string", default: "250000" }, columns: { type: "string", default: "151" } },
});
const rowCount = Number(values.rows);
const columnCount = Number(values.columns);

/** A mixture as in a feature table: mostly small integers and floats, a tenth NULL, a few texts. */
const kinds = [
    "(hash(i, ${c}) % 1000 / 7.0)::float",
    "(hash(i, ${c}) % 300)::usmallint",
    "(hash(i, ${c}) % 100000)::integer",
    "hash(i, ${c}) % 2 = 0",
    "(hash(i, ${c}) % 1000 / 7.0)::float",
    "'word ' || hash(i, ${c}) % 90",
    "'a rather longer text ' || hash(i, ${c}) % 90",
];

const columns = Array.from({ length: columnCount }, (_, index) => {
    const kind = kinds[index < columnCount - 10 ? index % 5 : index % kinds.length]!.replaceAll(
        "${c}",
        `${index}`,
    );
    return `case when hash(i, ${index}, 1) % 10 > 0 then ${kind} end as c${index}`;
});

async function time(what: string, work: () => Promise<unknown>): Promise<void> {
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1e6;
    const rate = (rowCount * columnCount) / cpu / 1e6;
    // On a machine that does other things, too, the processor's time says more than the clock.
    console.log(
        `${what.padEnd(40)} ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU: ${rate.toFixed(0)} million values per CPU second`,
    );
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of stream);
}

const directory = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
try {
    const limits = { memoryLimit: "4GB", threads: 2, spillDirectory: join(directory, "spill") };
    await withWarehouse(join(directory, "bench.duckdb"), limits, async (warehouse) => {
        console.log(`${rowCount} rows of ${columnCount} columns, 2 threads`);
        await warehouse.execute(
            `create table wide as select ${columns.join(", ")} from range(${rowCount}) r(i)`,
        );
        await warehouse.execute("create table copied as from wide limit 0");
        await warehouse.execute("create table appended as from wide limit 0");
        await time("engine alone: insert into ... select", () =>
            warehouse.execute("insert into copied from wide"),
        );
        await time("readRaw: DuckDB's own bytes", () => drain(warehouse.readRaw("from wide")));
        await time("read: JavaScript columns", () => drain(warehouse.read("from wide")));
        const chunks: ColumnChunk[] = [];
        for await (const chunk of warehouse.read("from wide")) chunks.push(chunk);
        const appender = await warehouse.append("main", "appended");
        await time("append: write, commit", async () => {
            for (const chunk of chunks) await appender.write(chunk);
            await appender.close();
        });
        const wrong = await warehouse.rows(
            "select count(*) as rows from (from wide except all from appended)",
        );
        console.log(`rows that came back different: ${wrong[0]?.rows}`);
    });
} finally {
    await rm(directory, { recursive: true, force: true });
}

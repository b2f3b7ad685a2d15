/**
 * How fast a wide table goes from DuckDB into Postgres, against the server's own COPY FROM of a ready binary file, in
 * the same run: `npx tsx bench/publish.ts [--rows 250000] [--columns 151] [--rounds 7] [--url postgres://...]`. Both
 * take turns, and what counts is the median of the rounds' ratios. Ours needs two cores, the server's one: rounds in
 * which somebody else used the cores do not count. Ends with 1 where the ratio is above the limit, with 2 where too few
 * count. Without --url an embedded Postgres is started for the time of the run; the file is read by the server, so it
 * must be on this machine.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${c} stands for the number of a column
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { quoteName } from "../runner/names.ts";
import { type PostgresClient, withClient, withTransaction } from "../runner/postgres/connect.ts";
import { encodePieces } from "../runner/postgres/copy-encode.ts";
import { copyIn } from "../runner/postgres/copy-in.ts";
import { postgresType } from "../runner/postgres/postgres-type.ts";
import type { Warehouse } from "../runner/warehouse/types.ts";
import { inMemory, withWarehouse } from "../runner/warehouse/warehouse.ts";
import { startPostgres } from "../sandbox/postgres.ts";
import { timeWithOthers } from "./others-share.ts";

const { values } = parseArgs({
    options: {
        rows: { type: "string", default: "250000" },
        columns: { type: "string", default: "151" },
        url: { type: "string" },
        rounds: { type: "string", default: "7" },
    },
});
const rowCount = Number(values.rows);
const columnCount = Number(values.columns);
const limit = 1.2;
/** Share of the cores that others may use. */
const quiet = 0.1;
/** Written and read by the server, which runs under an account of its own: not in our folder. */
const file = join(tmpdir(), `rebuild-bench-${process.pid}.copy`);

/** A mixture as in a feature table: mostly small integers and floats, a tenth NULL, a few texts and decimals. */
const kinds = [
    "hash(i, ${c}) % 1000 / 7.0::float",
    "hash(i, ${c}) % 1000 / 7.0::double",
    "(hash(i, ${c}) % 300)::usmallint",
    "(hash(i, ${c}) % 100000)::integer",
    "hash(i, ${c}) % 2 = 0",
    "(hash(i, ${c}) % 1000000)::bigint",
    "'word ' || hash(i, ${c}) % 90",
    "(hash(i, ${c}) % 1000 / 10)::decimal(6, 1)",
    "hash(i, ${c}) % 1000 / 9.0::float",
    "date '2010-01-01' + (hash(i, ${c}) % 5000)::integer",
    "hash(i, ${c}) % 1000 / 11.0::float",
    "case when hash(i, ${c}) % 2 = 0 then 'a longer text of one runner ' || hash(i) % 9000 end",
];

async function makeTable(warehouse: Warehouse): Promise<void> {
    const columns = Array.from({ length: columnCount }, (_, index) => {
        const value = kinds[index % kinds.length]!.replaceAll("${c}", String(index));
        return `case when hash(i, ${index}, 1) % 10 > 0 then ${value} end as c${index}`;
    });
    await warehouse.execute(
        `create table wide as select ${columns.join(", ")} from range(${rowCount}) as numbers (i)`,
    );
}

async function bench(warehouse: Warehouse, client: PostgresClient): Promise<void> {
    const columns = await warehouse.describe("from wide");
    const list = columns.map(({ name, type }) => `${quoteName(name)} ${postgresType(type)!.sql}`).join(", ");
    await client.query(`drop table if exists bench_wide; create table bench_wide (${list})`);
    const load = (copy: () => Promise<unknown>) =>
        timeWithOthers(client.processId, () =>
            withTransaction(client, {}, async () => {
                await client.query("truncate bench_wide");
                await copy();
            }),
        );
    let bytes = 0;
    const ways = {
        ours: async () => {
            const statement = "copy bench_wide from stdin with (format binary, freeze)";
            const result = await copyIn(client, statement, warehouse.readRaw("from wide"));
            if (result.rows !== rowCount) throw new Error(`${result.rows} rows arrived`);
            bytes = result.bytes;
        },
        server: () => client.query(`copy bench_wide from '${file}' with (format binary, freeze)`),
    };
    // The first load of each is not counted: files grow, code is compiled.
    await load(ways.ours);
    await client.query(`copy bench_wide to '${file}' with (format binary)`);
    await load(ways.server);
    const times = { ours: [] as number[], server: [] as number[] };
    const wanted = Number(values.rounds);
    let disturbed = 0;
    for (let turn = 0; times.ours.length < wanted && turn < 3 * wanted; turn++) {
        const first = turn % 2 === 0 ? await load(ways.ours) : undefined;
        const server = await load(ways.server);
        const ours = first ?? (await load(ways.ours));
        if (Math.max(ours.others, server.others) > quiet) disturbed++;
        else {
            times.ours.push(ours.seconds);
            times.server.push(server.seconds);
        }
    }
    console.log(
        `${times.ours.length} rounds counted, ${disturbed} in which others used more than ${quiet * 100} % of the cores`,
    );
    await client.query("drop table bench_wide");
    if (times.ours.length < Math.min(3, wanted)) {
        console.error("the machine is too busy for a comparison");
        process.exitCode = 2;
        return;
    }
    const { seconds: encoded } = await timeWithOthers(client.processId, async () => {
        for await (const chunk of warehouse.readRaw("from wide")) for (const _ of encodePieces(chunk));
    });
    const ratios = times.ours.map((ours, round) => ours / times.server[round]!);
    const ratio = median(ratios);
    const spread = (list: readonly number[], digits: number) =>
        `${median(list).toFixed(digits)}  (${Math.min(...list).toFixed(digits)} to ${Math.max(...list).toFixed(digits)})`;
    const megabytes = bytes / 1e6;
    console.log(
        `${rowCount} rows x ${columnCount} columns, ${megabytes.toFixed(0)} MB, median of the rounds (and their spread)`,
    );
    console.log(`read and encode alone, once  ${encoded.toFixed(2)} s`);
    console.log(`DuckDB to Postgres, ours, s  ${spread(times.ours, 2)}`);
    console.log(`server's own COPY of a file  ${spread(times.server, 2)}`);
    console.log(`ratio ours / server          ${spread(ratios, 2)}`);
    if (ratio > limit) {
        console.error(`more than ${limit} times the server's own COPY`);
        process.exitCode = 1;
    }
}

function median(list: readonly number[]): number {
    return [...list].sort((one, other) => one - other)[list.length >> 1]!;
}

const folder = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
try {
    const limits = { memoryLimit: "2GB", threads: 2, spillDirectory: folder };
    const run = (url: string) =>
        withWarehouse(inMemory, limits, async (warehouse) => {
            await makeTable(warehouse);
            await withClient({ url }, (client) => bench(warehouse, client));
        });
    if (values.url) await run(values.url);
    else {
        const server = await startPostgres({ dataDirectory: join(folder, "postgres") });
        try {
            await run(server.url);
        } finally {
            await server.stop();
        }
    }
} finally {
    await rm(folder, { recursive: true, force: true });
    await rm(file, { force: true });
}

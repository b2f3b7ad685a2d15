/**
 * What the extraction costs beside the bare COPY: a table like race_results is copied from a local Postgres
 * and its rows dropped, then decoded, then loaded into DuckDB as the runner does it and by CSV through a FIFO.
 *
 *     npx tsx bench/extract.ts [--rows 500000] [--rounds 3] [--url postgres://...]
 *
 * Without --url an embedded Postgres is started for it. The server shares the cores with this process, so the
 * ratio is the worst case: a server elsewhere leaves all of them to the load.
 */
import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { extractSources } from "../runner/extract/extract-sources.ts";
import { RowDecoder } from "../runner/extract/row-decoder.ts";
import { planTransport } from "../runner/extract/transport.ts";
import { quoteText } from "../runner/names.ts";
import { type PostgresClient, withClient } from "../runner/postgres/connect.ts";
import { type CopySink, copyOut } from "../runner/postgres/copy-out.ts";
import type { Project, Source } from "../runner/project/project.ts";
import { withWarehouse } from "../runner/warehouse/warehouse.ts";
import { startPostgres } from "../sandbox/postgres.ts";

const { values: options } = parseArgs({
    options: {
        rows: { type: "string", default: "500000" },
        rounds: { type: "string", default: "3" },
        url: { type: "string" },
    },
});
const rowCount = Number(options.rows);
const tableName = "bench_race_results";

/** Declared type, Postgres' type and a value made of the row's number `n`. */
const columns = {
    id: ["bigint", "int8", "n"],
    race_id: ["bigint", "int8", "n / 12"],
    horse_name: ["varchar", "text", "'Horse Number ' || n * 7919 % 30000"],
    horse_slug: ["varchar", "text", "'horse-number-' || n * 7919 % 30000"],
    horse_number: ["varchar", "text", "(n % 14 + 1)::text"],
    barrier: ["smallint", "int2", "(n % 14 + 1)::int2"],
    original_weight: ["decimal(5,1)", "numeric", "(50 + n % 120 / 10.0)::numeric(4,1)"],
    position: ["smallint", "int2", "case when n % 17 <> 0 then (n % 14 + 1)::int2 end"],
    finish_status: ["varchar", "text", "case when n % 17 <> 0 then 'FINISHED' else 'DNF' end"],
    margin: ["decimal(8,3)", "numeric", "case when n % 17 <> 0 then round(n % 400 / 20.0, 2) end"],
    jockey: ["varchar", "text", "'Jockey ' || n % 900"],
    jockey_slug: ["varchar", "text", "'jockey-' || n % 900"],
    trainer: ["varchar", "text", "'Trainer and Partner ' || n % 700"],
    trainer_slug: ["varchar", "text", "'trainer-and-partner-' || n % 700"],
    win_odds: ["decimal(10,3)", "numeric", "round(1.5 + n % 500 / 10.0, 1)"],
    prize_money: ["decimal(14,2)", "numeric", "case when n % 12 < 5 then (n % 12 * 1000)::numeric end"],
    position_800m: ["smallint", "int2", "case when n % 2 = 0 then (n % 14 + 1)::int2 end"],
    position_400m: ["smallint", "int2", "case when n % 2 = 0 then (n % 14 + 1)::int2 end"],
    updated_at: ["timestamptz", "timestamptz", "timestamptz '2024-01-01' + n * interval '1 second'"],
} as const;

const source = {
    name: tableName,
    identifier: tableName,
    file: "bench",
    primaryKey: ["id"],
    columns: Object.entries(columns).map(([name, [type]]) => ({
        name,
        type,
        optional: false,
        nullable: true,
    })),
} as unknown as Source;

interface Way {
    readonly name: string;
    run(client: PostgresClient, folder: string, url: string): Promise<number>;
}

const binaryCopy = `copy (select ${Object.keys(columns).join(", ")} from ${tableName}) to stdout (format binary)`;

function limits(folder: string) {
    return {
        path: join(folder, "bench.duckdb"),
        memoryLimit: "1GB",
        threads: 2,
        spillDirectory: join(folder, "spill"),
        concurrency: 1,
    };
}

const ways: readonly Way[] = [
    {
        name: "binary COPY, rows dropped",
        async run(client) {
            let bytes = 0;
            await copyOut(client, binaryCopy, { message: (_, __, start, end) => (bytes += end - start) });
            return bytes;
        },
    },
    {
        name: "binary COPY, rows decoded",
        async run(client) {
            const transports = Object.entries(columns).map(([name, [declared, type]]) => ({
                ...planTransport(declared, { name, type })!,
                nullable: true,
            }));
            const decoder = new RowDecoder(transports, 61_440);
            let bytes = 0;
            const sink: CopySink = {
                message(buffer, view, start, end) {
                    bytes += end - start;
                    decoder.decode(buffer, view, start, end);
                    if (decoder.isFull) decoder.reset();
                },
            };
            await copyOut(client, binaryCopy, sink);
            return bytes;
        },
    },
    {
        name: "extractSources into DuckDB",
        async run(_, folder, url) {
            const settings = limits(folder);
            return withWarehouse(settings.path, settings, async (warehouse) => {
                const { results } = await extractSources({
                    project: { sources: [source], target: { warehouse: settings } } as unknown as Project,
                    connection: {
                        type: "postgres",
                        url,
                        schema: "public",
                        connections: 1,
                        timeBudgetSeconds: 600,
                    },
                    warehouse,
                    report: () => {},
                    signal: new AbortController().signal,
                });
                return results[0]!.bytes!;
            });
        },
    },
    {
        name: "CSV COPY, FIFO, read_csv",
        async run(client, folder) {
            const settings = limits(folder);
            const fifo = join(folder, "rows.csv");
            execFileSync("mkfifo", [fifo]);
            let bytes = 0;
            await withWarehouse(settings.path, settings, async (warehouse) => {
                const types = Object.entries(columns).map(
                    ([name, [type]]) => `${quoteText(name)}: ${quoteText(type)}`,
                );
                const loading = warehouse.execute(
                    `create table ${tableName} as from read_csv(${quoteText(fifo)}, header = false, auto_detect = false, columns = {${types.join(", ")}})`,
                );
                const stream = createWriteStream(fifo);
                const block = Buffer.alloc(1 << 18);
                let filled = 0;
                const flush = () =>
                    new Promise<void>((resolve, reject) => {
                        const full = Buffer.from(block.subarray(0, filled));
                        filled = 0;
                        stream.write(full, (error) => (error ? reject(error) : resolve()));
                    });
                await copyOut(client, `copy ${tableName} to stdout (format csv)`, {
                    message(buffer, _, start, end) {
                        bytes += end - start;
                        filled += buffer.copy(block, filled, start, end);
                    },
                    // A burst of the socket is at most 64 KiB.
                    pause: () => (filled > block.length / 2 ? flush() : undefined),
                });
                await flush();
                stream.end();
                await loading;
            });
            return bytes;
        },
    },
];

async function measure(url: string): Promise<void> {
    await withClient({ url }, async (client) => {
        const list = Object.entries(columns).map(
            ([name, [, type, value]]) => `(${value})::${type} as ${name}`,
        );
        await client.query(`drop table if exists ${tableName}`);
        await client.query(
            `create table ${tableName} as select ${list.join(", ")} from generate_series(1::int8, ${rowCount}) as n`,
        );
        await client.query(`vacuum analyze ${tableName}`);
        const best = new Map<string, { seconds: number; bytes: number }>();
        // In turns, so that what else the machine does hits all of them.
        for (let round = 0; round < Number(options.rounds); round++) {
            for (const way of ways) {
                const folder = await mkdtemp(join(tmpdir(), "rebuild-bench-"));
                const started = performance.now();
                const bytes = await way.run(client, folder, url);
                const seconds = (performance.now() - started) / 1000;
                await rm(folder, { recursive: true });
                if (seconds < (best.get(way.name)?.seconds ?? Infinity))
                    best.set(way.name, { seconds, bytes });
            }
        }
        await client.query(`drop table ${tableName}`);
        const base = best.get(ways[0]!.name)!.seconds;
        console.log(
            `${rowCount.toLocaleString("en")} rows of ${Object.keys(columns).length} columns, best of ${options.rounds}`,
        );
        for (const [name, { seconds, bytes }] of best) {
            const rate = Math.round(bytes / 1e6 / seconds);
            console.log(
                `${name.padEnd(28)} ${seconds.toFixed(2)} s  ${String(rate).padStart(4)} MB/s  ${(seconds / base).toFixed(2)}`,
            );
        }
    });
}

if (options.url !== undefined) await measure(options.url);
else {
    const folder = await mkdtemp(join(tmpdir(), "rebuild-bench-server-"));
    const server = await startPostgres({ dataDirectory: join(folder, "postgres") });
    try {
        await measure(server.url);
    } finally {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
    }
}

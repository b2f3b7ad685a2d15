import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement } from "@duckdb/node-api";
import { quoteName, quoteText } from "../names.ts";
import { isMemoryShort } from "../project/memory-limit.ts";
import type { WarehouseSettings } from "../project/project.ts";
import { openAppender } from "./appender.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { toQueryError } from "./query-failure.ts";
import { resultColumn, toRawChunk } from "./raw-chunk.ts";
import { toColumnChunk } from "./read-column.ts";
import { readValue } from "./read-value.ts";
import { withSpillDirectory } from "./spill-directory.ts";
import { streamChunks } from "./stream-chunks.ts";
import type { Warehouse } from "./types.ts";

export const inMemory = ":memory:";

/** Name under which a warehouse that is only read is attached. */
const readOnlyCatalog = "last_good";

export interface WarehouseLimits
    extends Pick<WarehouseSettings, "memoryLimit" | "threads" | "spillDirectory"> {
    /** Several processes may read one file at a time. Default: it is written. */
    readonly readOnly?: boolean;
}

/**
 * Opens the DuckDB database at `path` (made when it is not there) for the time of the callback, and closes
 * it whatever happens. What was committed is then in the one file: no .wal stays beside it.
 */
export async function withWarehouse<T>(
    path: string,
    settings: WarehouseLimits,
    callback: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
    if (path !== inMemory) await mkdir(dirname(path), { recursive: true });
    return withSpillDirectory(settings.spillDirectory, async (spill) => {
        const instance = await openInstance(path, settings, spill);
        const pool = new ConnectionPool(instance, settings.readOnly ? readOnlyCatalog : undefined);
        try {
            return await callback(warehouseOver(path, pool));
        } finally {
            await pool.close();
        }
    });
}

async function openInstance(path: string, settings: WarehouseLimits, spill: string): Promise<DuckDBInstance> {
    const sql = `open ${path}`;
    try {
        // An instance that is read-only itself refuses databases in memory beside the file: see Warehouse.scratch.
        const instance = await DuckDBInstance.create(settings.readOnly ? inMemory : path, {
            memory_limit: settings.memoryLimit,
            threads: String(settings.threads),
            temp_directory: spill,
            // The left side of a join is looked up in a hash table of the right one, as it is written. The optimizer
            // takes each filter for a fifth and the end of a join of columns for nothing, so that 2.5 million starters
            // became the table and their timed fifth was looked up in it: over 600 MB, where 400 suffice, and 15.8 s
            // in place of 12.7.
            disabled_optimizers: "build_side_probe_side",
            // What was freed goes back to the system: sorting 500,000 wide rows under a limit of 450 MB then takes
            // 573 MB of the machine's memory at most, and 1,045 without. A container counts what the machine counts.
            allocator_background_threads: "true",
            ...(isMemoryShort(settings.memoryLimit)
                ? {
                      // Where it matters at once, not from 128 MB on: 464 MB in place of 495 under a limit of 350.
                      allocator_flush_threshold: "1MB",
                      allocator_bulk_deallocation_flush_threshold: "16MB",
                  }
                : {
                      // Blocks of tables and buffers are used again in place of going back to the system and being
                      // asked for anew: a build of 500,000 rows of 390 columns took 24.7 s of the processor's time in
                      // place of 26.6, with the same peak.
                      block_allocator_memory: "800MB",
                  }),
            // A run must not fetch code from the network because a query mentions a function.
            autoinstall_known_extensions: "false",
            autoload_known_extensions: "false",
            errors_as_json: "true",
        });
        const connection = await instance.connect();
        await connection.run("set global TimeZone = 'UTC'");
        if (settings.readOnly)
            await connection.run(`attach ${quoteText(path)} as ${readOnlyCatalog} (read_only)`);
        connection.closeSync();
        return instance;
    } catch (error) {
        throw toQueryError(error, sql);
    }
}

function warehouseOver(path: string, pool: ConnectionPool): Warehouse {
    async function using<T>(sql: string, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
        const connection = await pool.acquire();
        try {
            return await pool.track(work(connection));
        } catch (error) {
            throw toQueryError(error, sql);
        } finally {
            pool.release(connection);
        }
    }
    return {
        path,
        async execute(sql) {
            await using(sql, (connection) => connection.run(sql));
        },
        async executeAll(statements) {
            const connection = await pool.acquire();
            try {
                for (const sql of ["begin transaction", ...statements, "commit"]) {
                    await pool.track(runStatement(connection, sql));
                }
            } catch (error) {
                await pool.discard(connection);
                throw error;
            }
            pool.release(connection);
        },
        async rows(sql) {
            return using(sql, async (connection) => {
                const result = await connection.run(sql);
                const names = result.columnNames();
                return (await result.getRows()).map((row) =>
                    Object.fromEntries(row.map((value, index) => [names[index]!, readValue(value)])),
                );
            });
        },
        read: (sql) => streamChunks(pool, sql, toColumnChunk),
        readRaw: (sql) => streamChunks(pool, sql, toRawChunk),
        async describe(sql) {
            return using(sql, async (connection) => {
                const prepared = await connection.prepare(sql);
                try {
                    return preparedColumns(prepared);
                } finally {
                    prepared.destroySync();
                }
            });
        },
        append: (schema, table) => openAppender(pool, schema, table),
        interrupt: () => pool.stop(),
        async withThreads(threads, callback) {
            const [before] = await this.rows("select current_setting('threads') as threads");
            await this.execute(`set global threads = ${threads}`);
            try {
                return await callback();
            } finally {
                await this.execute(`set global threads = ${before!.threads}`);
            }
        },
        async scratch(callback) {
            const catalog = `scratch_${randomBytes(4).toString("hex")}`;
            const [base] = await this.rows("select current_database() as name");
            await this.execute(`attach ':memory:' as ${catalog}`);
            const inside = pool.within(catalog);
            try {
                return await callback(
                    warehouseOver(`${path} (scratch)`, inside),
                    quoteName(String(base!.name)),
                );
            } finally {
                await inside.close();
                await this.execute(`detach ${catalog}`);
            }
        },
    };
}

async function runStatement(connection: DuckDBConnection, sql: string): Promise<void> {
    try {
        await connection.run(sql);
    } catch (error) {
        throw toQueryError(error, sql);
    }
}

function preparedColumns(prepared: DuckDBPreparedStatement) {
    return Array.from({ length: prepared.columnCount }, (_, index) => {
        const { name, typeText } = resultColumn(prepared.columnName(index), prepared.columnType(index));
        return { name, type: typeText };
    });
}

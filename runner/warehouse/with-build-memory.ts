import { quoteText } from "../names.ts";
import { bytesOf, isMemoryShort } from "../project/memory-limit.ts";
import type { Warehouse } from "./types.ts";

/**
 * What models are built in, where the profile allows more. Stored tables stay in DuckDB's buffers up to its limit,
 * though each is read a few times at most: 500,000 rows of 390 columns took 1.8 GB of the machine's memory under a
 * limit of 16 GB, and 1.4 GB under this one, in the same time of the processor.
 */
const leastBytes = 0.9e9;
/** Of the largest source: sorting and joining grow with it, and what does not fit is spilled. */
const bytesPerRow = 1700;

/** Runs the callback under a limit that suffices for building; the profile's own one holds before and after. */
export async function withBuildMemory<T>(
    warehouse: Warehouse,
    memoryLimit: string,
    callback: () => Promise<T>,
): Promise<T> {
    if (isMemoryShort(memoryLimit)) return callback();
    const [row] = await warehouse.rows(
        "select max(estimated_size) as rows from duckdb_tables() where database_name = current_database() and schema_name = 'sources'",
    );
    const bytes = Math.max(leastBytes, bytesPerRow * Number(row?.rows ?? 0));
    if (bytes >= bytesOf(memoryLimit)) return callback();
    await setLimit(warehouse, `${Math.ceil(bytes / 1e6)}MB`);
    try {
        return await callback();
    } finally {
        await setLimit(warehouse, memoryLimit);
    }
}

async function setLimit(warehouse: Warehouse, limit: string): Promise<void> {
    await warehouse.execute(`set global memory_limit = ${quoteText(limit)}`);
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { type WarehouseLimits, withWarehouse } from "../../runner/warehouse/warehouse.ts";

export function limitsIn(directory: string): WarehouseLimits {
    return { memoryLimit: "500MB", threads: 2, spillDirectory: join(directory, "spill") };
}

export async function withTemporaryDirectory<T>(callback: (directory: string) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), "rebuild-warehouse-"));
    try {
        return await callback(directory);
    } finally {
        await rm(directory, { recursive: true, force: true });
    }
}

export function withMemoryWarehouse<T>(callback: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    return withTemporaryDirectory((directory) => withWarehouse(":memory:", limitsIn(directory), callback));
}

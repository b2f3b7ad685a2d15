import { quoteName } from "../names.ts";
import type { Source } from "../project/project.ts";
import type { Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";

/** Empty tables `sources.<name>` with exactly the declared columns, in place of what was there. */
export async function createSourceTables(warehouse: Warehouse, sources: readonly Source[]): Promise<void> {
    await warehouse.execute("create schema if not exists sources");
    for (const { name, columns } of sources) {
        const list = columns.map((column) => `${quoteName(column.name)} ${column.type}`).join(", ");
        await warehouse.execute(`create or replace table sources.${quoteName(name)} (${list})`);
    }
}

const progressPauseMs = 200;

/** At most five reports a second. */
export function throttledProgress(
    report: Report,
    name: string,
    totalRows: number | undefined,
): (rows: number, bytes: number) => void {
    let last = performance.now();
    return (rows, bytes) => {
        const now = performance.now();
        if (now - last < progressPauseMs) return;
        last = now;
        report({ type: "progress", name, rows, bytes, ...(totalRows !== undefined && { totalRows }) });
    };
}

import type { Warehouse } from "../../warehouse/types.ts";

/** Interrupts what the warehouse runs as soon as the signal says so. */
export async function withInterrupt<T>(
    warehouse: Warehouse,
    signal: AbortSignal,
    work: () => Promise<T>,
): Promise<T> {
    signal.throwIfAborted();
    const interrupt = () => warehouse.interrupt();
    signal.addEventListener("abort", interrupt);
    try {
        return await work();
    } finally {
        signal.removeEventListener("abort", interrupt);
    }
}

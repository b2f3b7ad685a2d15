import { readFileSync } from "node:fs";
import os from "node:os";

/** cgroup v2, then v1. A process in a container sees its own limit at these places. */
const limitFiles = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** Share of the container's memory that DuckDB may take: the rest is Node's, and DuckDB's own slack. */
const share = 0.7;

/** 70 % of what this container, or else this machine, has: `1433MiB`. */
export function defaultMemoryLimit(): string {
    const limits = limitFiles.map(readLimit).filter((limit) => limit !== undefined);
    const bytes = Math.min(os.totalmem(), ...limits);
    return `${Math.floor((bytes * share) / 2 ** 20)}MiB`;
}

function readLimit(file: string): number | undefined {
    try {
        const limit = Number(readFileSync(file, "utf8").trim());
        return Number.isFinite(limit) && limit > 0 ? limit : undefined;
    } catch {
        return undefined;
    }
}

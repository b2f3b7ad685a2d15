import { readFileSync } from "node:fs";
import os from "node:os";

/** cgroup v2, then v1. A process in a container sees its own limit at these places. */
const limitFiles = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** Percent of the container's memory that DuckDB may take: the rest is Node's, and DuckDB's own slack. */
const defaultPercent = 70;
/** That rest is no share: at 2.5 million rows of 388 columns it came to 500 MB whatever the limit. */
const restBytes = 600 * 2 ** 20;
/** Of a container that is smaller than that. */
const leastShare = 0.25;

/**
 * A size as it was declared; a share (`50%`, or 70 % by default) as a size, `1433MiB`. DuckDB itself would take
 * the share of the machine's memory, of which a container has only a part.
 */
export function memoryLimit(
    declared: string = `${defaultPercent}%`,
    availableBytes: number = containerBytes(),
): string {
    const percent = /^([\d.]+)\s*%$/.exec(declared);
    if (!percent) return declared;
    const share = (availableBytes * Number(percent[1])) / 100;
    const most = Math.max(availableBytes - restBytes, availableBytes * leastShare);
    return `${Math.floor(Math.min(share, most) / 2 ** 20)}MiB`;
}

function containerBytes(): number {
    const limits = limitFiles.map(readLimit).filter((limit) => limit !== undefined);
    return Math.min(os.totalmem(), ...limits);
}

function readLimit(file: string): number | undefined {
    try {
        const limit = Number(readFileSync(file, "utf8").trim());
        return Number.isFinite(limit) && limit > 0 ? limit : undefined;
    } catch {
        return undefined;
    }
}

const units: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 };

/** Below this a run goes without what costs memory beside the limit. */
const shortMemory = 2e9;

export function isMemoryShort(limit: string): boolean {
    return bytesOf(limit) < shortMemory;
}

/** Bytes of a size as DuckDB takes it, `1433MiB` or `2GB`; infinity where it cannot be told. */
export function bytesOf(limit: string): number {
    const match = /^([\d.]+)\s*([kmgt])(i?)b$/i.exec(limit.trim());
    if (!match) return Number.POSITIVE_INFINITY;
    return Number(match[1]) * (match[3] ? 1024 : 1000) ** units[match[2]!.toLowerCase()]!;
}

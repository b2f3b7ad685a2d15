import { formatBytes, formatCount } from "./format.ts";

/** The last line of a terminal while something works: what, how far, how fast. */
export interface ProgressLine {
    phase(name: string, total: number | undefined): void;
    started(name: string): void;
    ended(name: string): void;
    moved(event: {
        readonly name: string;
        readonly rows: number;
        readonly bytes: number;
        readonly totalRows?: number;
    }): void;
    clear(): void;
}

const barWidth = 24;

export function createProgressLine(stream: NodeJS.WriteStream, now: () => number): ProgressLine {
    let phaseName = "";
    let total: number | undefined;
    let done = 0;
    let drawnAt = 0;
    let drawn = false;
    const working = new Map<string, { since: number; rows: number; bytes: number; totalRows?: number }>();

    const draw = () => {
        if (now() - drawnAt < 100 || working.size === 0) return;
        drawnAt = now();
        drawn = true;
        const text = `${phaseName}  ${bar(share())} ${describe()}`;
        stream.write(`\r\u001b[K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
    };
    const share = () => {
        const moving = [...working.values()].find((work) => work.totalRows);
        if (moving?.totalRows) return Math.min(1, moving.rows / moving.totalRows);
        return total ? done / total : 0;
    };
    const describe = () =>
        [...working]
            .map(([name, work]) => {
                if (work.rows === 0) return name;
                const seconds = Math.max(0.001, (now() - work.since) / 1000);
                return `${name} ${formatCount(work.rows)} rows, ${formatBytes(work.bytes / seconds)}/s`;
            })
            .join(" · ");

    return {
        phase(name, nodes) {
            phaseName = name;
            total = nodes;
            done = 0;
            working.clear();
        },
        started(name) {
            working.set(name, { since: now(), rows: 0, bytes: 0 });
            draw();
        },
        ended(name) {
            working.delete(name);
            done++;
            draw();
        },
        moved(event) {
            const since = working.get(event.name)?.since ?? now();
            working.set(event.name, { since, ...event });
            draw();
        },
        clear() {
            if (drawn) stream.write("\r\u001b[K");
            drawn = false;
        },
    };
}

function bar(share: number): string {
    const filled = Math.round(share * barWidth);
    return `[${"█".repeat(filled)}${"·".repeat(barWidth - filled)}] ${String(Math.round(share * 100)).padStart(3)} %`;
}

import { setTimeout as sleep } from "node:timers/promises";
import { QueryError } from "../../runner/errors.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { type LockWaits, withLockWaits } from "./lock-waits.ts";
import { control, type Place, patterns, prepareReads, published, type Read } from "./read-patterns.ts";

export interface ReaderReport {
    reads: number;
    /** What a reader should never meet. */
    readonly errors: string[];
    empty: number;
    mixed: number;
    longestMs: number;
    /** Connections that were lost with the server and made again. */
    reconnects: number;
    /** Where the control was read too: half the reads, of the same sessions, at random. */
    control?: Waits;
    /** Those of all reads that no server's restart cut. */
    published?: Waits;
    locks?: LockWaits;
}

export interface Waits {
    readonly reads: number;
    readonly medianMs: number;
    readonly p99Ms: number;
    readonly longestMs: number;
}

export interface ReaderOptions {
    readonly perPattern: number;
    /** Longest pause between the reads of one reader. Default: 60. */
    readonly pauseMs?: number;
    /** The server itself goes away meanwhile: a lost connection is not an error then. */
    readonly serverRestarts?: boolean;
    /** Reads the control as well (`makeControl`), and measures the waits for locks. */
    readonly measured?: boolean;
}

/** Reads in all patterns until the callback ends. */
export async function withReaders(
    url: string,
    { perPattern, serverRestarts = false, pauseMs = 60, measured = false }: ReaderOptions,
    callback: () => Promise<void>,
): Promise<ReaderReport> {
    const report: ReaderReport = { reads: 0, errors: [], empty: 0, mixed: 0, longestMs: 0, reconnects: 0 };
    const times = { published: [] as number[], control: [] as number[] };
    const stopped = new AbortController();
    const processIds = new Set<number>();
    const places = measured ? [published, control] : [published];
    const shared = { url, report, pauseMs, times, places, processIds, stopped: stopped.signal };
    const readers = () =>
        Object.entries(patterns).flatMap(([name, read]) =>
            Array.from({ length: perPattern }, async () => {
                for (let isLost = true; isLost; report.reconnects += isLost ? 1 : 0) {
                    isLost = await runReader({ ...shared, name, read }).then(
                        () => false,
                        (error) => {
                            if (!serverRestarts) report.errors.push(`${name}: ${(error as Error).message}`);
                            return serverRestarts && !stopped.signal.aborted;
                        },
                    );
                }
            }),
        );
    const readAll = async () => {
        const reading = readers();
        try {
            await callback();
        } finally {
            stopped.abort();
            await Promise.all(reading);
        }
    };
    if (!measured || serverRestarts) await readAll();
    else report.locks = await withLockWaits(url, (processId) => processIds.has(processId), readAll);
    if (measured) {
        report.published = summarize(times.published);
        report.control = summarize(times.control);
    }
    return report;
}

interface Reader {
    readonly url: string;
    readonly name: string;
    readonly read: Read;
    readonly report: ReaderReport;
    readonly pauseMs: number;
    readonly times: Readonly<Record<Place["name"], number[]>>;
    readonly places: readonly Place[];
    readonly processIds: Set<number>;
    readonly stopped: AbortSignal;
}

function runReader({ url, name, read, report, pauseMs, times, places, ...options }: Reader): Promise<void> {
    const { processIds, stopped } = options;
    return withClient({ url, applicationName: `reader ${name}` }, async (client) => {
        const { rows: own } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
        processIds.add(own[0]!.pid);
        for (const place of places) await prepareReads(client, place);
        while (!stopped.aborted) {
            const place = places[Math.floor(Math.random() * places.length)]!;
            const started = performance.now();
            try {
                const { rows, ...generations } = await read(client, place);
                if (rows === 0) report.empty++;
                if (new Set(Object.values(generations)).size !== 1) report.mixed++;
            } catch (error) {
                if (error instanceof QueryError && /^(08|57P)/.test(error.failure.code ?? "")) throw error;
                report.errors.push(`${name}: ${(error as Error).message}`);
                await client.query("rollback").catch(() => undefined);
            }
            const took = performance.now() - started;
            if (place === published) report.reads++;
            // It sleeps in between.
            if (name !== "repeatable") times[place.name].push(took);
            if (name !== "repeatable" && place === published)
                report.longestMs = Math.max(report.longestMs, took);
            await sleep(Math.random() * pauseMs);
        }
    });
}

/** One line of all that was counted. */
export function describeReport({ reads, errors, empty, mixed, ...report }: ReaderReport): string {
    const waits = ({ longestMs, p99Ms, medianMs }: Waits) =>
        `longest ${longestMs} ms (99 of 100 within ${p99Ms}, half within ${medianMs})`;
    const { published, control, locks, reconnects } = report;
    return [
        `${reads} reads, ${errors.length} errors, ${mixed} mixed, ${empty} empty`,
        ...(published ? [waits(published)] : []),
        ...(control ? [`the control, ${control.reads} reads of the same sessions: ${waits(control)}`] : []),
        ...(locks
            ? [
                  `waits for a lock: ${locks.seen} seen, longest ${round(locks.longestMs)} ms, looked at every ${round(locks.longestStepMs)} ms or less`,
              ]
            : []),
        ...(reconnects > 0 ? [`${reconnects} connections lost with the server`] : []),
    ].join("; ");
}

function summarize(times: readonly number[]): Waits {
    const sorted = [...times].sort((one, other) => one - other);
    const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    return { reads: sorted.length, medianMs: at(0.5), p99Ms: at(0.99), longestMs: at(1) };
}

function round(milliseconds: number): number {
    return Math.round(milliseconds * 10) / 10;
}

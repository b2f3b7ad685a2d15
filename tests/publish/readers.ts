import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { QueryError } from "../../runner/errors.ts";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";

export interface ReaderReport {
    reads: number;
    /** What a reader should never meet. */
    readonly errors: string[];
    empty: number;
    mixed: number;
    longestMs: number;
    /** Connections that were lost with the server and made again. */
    reconnects: number;
}

export interface ReaderOptions {
    readonly perPattern: number;
    /** Longest pause between the reads of one reader. Default: 60. */
    readonly pauseMs?: number;
    /** The server itself goes away meanwhile: a lost connection is not an error then. */
    readonly serverRestarts?: boolean;
}

/** Generations of everything published in one statement, so that a mixture shows. */
const everywhere = `select
    (select count(*)::int from public.starts) as rows,
    (select min(generation) from public.starts) as starts,
    (select max(generation) from public.starts) as latest_start,
    (select max(generation) from serving.form) as form,
    (select max(generation) from public.current_form) as current_form,
    (select max(generation) from public.latest_starts) as latest,
    (select max(form_generation) from public.latest_starts) as latest_form`;

type Read = (client: PostgresClient) => Promise<Record<string, unknown>>;

const first = async (client: PostgresClient, sql: string) => (await client.query(sql)).rows[0]!;

/** One name a way of reading that applications use. */
const patterns: Readonly<Record<string, Read>> = {
    plain: (client) => first(client, everywhere),
    joined: (client) =>
        first(
            client,
            `select count(*)::int as rows, max(starts.generation) as starts, min(latest.form_generation) as latest_form,
                    max(current_form.generation) as current_form
             from public.starts join public.latest_starts as latest using (horse) join public.current_form using (horse)`,
        ),
    views: (client) =>
        first(
            client,
            "select count(*)::int as rows, min(generation) as latest, max(form_generation) as latest_form from public.latest_starts",
        ),
    prepared: (client) => first(client, "execute everywhere"),
    repeatable: async (client) => {
        await client.query("begin isolation level repeatable read; select 1");
        await sleep(Math.random() * 100);
        const found = await first(client, everywhere);
        await client.query("commit");
        return found;
    },
};

/** Reads in all patterns until the callback ends. */
export async function withReaders(
    url: string,
    { perPattern, serverRestarts = false, pauseMs = 60 }: ReaderOptions,
    callback: () => Promise<void>,
): Promise<ReaderReport> {
    const report: ReaderReport = { reads: 0, errors: [], empty: 0, mixed: 0, longestMs: 0, reconnects: 0 };
    const stopped = new AbortController();
    const readers = Object.entries(patterns).flatMap(([name, read]) =>
        Array.from({ length: perPattern }, async () => {
            for (let isLost = true; isLost; report.reconnects += isLost ? 1 : 0) {
                isLost = await runReader({ url, name, read, report, pauseMs, stopped: stopped.signal }).then(
                    () => false,
                    (error) => {
                        if (!serverRestarts) report.errors.push(`${name}: ${(error as Error).message}`);
                        return serverRestarts && !stopped.signal.aborted;
                    },
                );
            }
        }),
    );
    try {
        await callback();
    } finally {
        stopped.abort();
        await Promise.all(readers);
    }
    return report;
}

/** The same in a process of its own; `script` is the bundled reader-process.ts. */
export async function withReaderProcess(
    script: string,
    url: string,
    options: ReaderOptions,
    callback: () => Promise<void>,
): Promise<ReaderReport> {
    const child = spawn(process.execPath, [script, url, JSON.stringify(options)], {
        stdio: ["pipe", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    const said: string[] = [];
    const lines = createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
    await Promise.race([once(lines, "line"), exit]);
    try {
        await callback();
    } finally {
        child.stdin.end();
        await exit;
    }
    return JSON.parse(said.at(-1)!) as ReaderReport;
}

interface Reader {
    readonly url: string;
    readonly name: string;
    readonly read: Read;
    readonly report: ReaderReport;
    readonly pauseMs: number;
    readonly stopped: AbortSignal;
}

function runReader({ url, name, read, report, pauseMs, stopped }: Reader): Promise<void> {
    return withClient({ url, applicationName: `reader ${name}` }, async (client) => {
        await client.query(`prepare everywhere as ${everywhere}`);
        while (!stopped.aborted) {
            const started = performance.now();
            try {
                const { rows, ...generations } = await read(client);
                if (rows === 0) report.empty++;
                if (new Set(Object.values(generations)).size !== 1) report.mixed++;
            } catch (error) {
                if (error instanceof QueryError && /^(08|57P)/.test(error.failure.code ?? "")) throw error;
                report.errors.push(`${name}: ${(error as Error).message}`);
                await client.query("rollback").catch(() => undefined);
            }
            report.reads++;
            const took = performance.now() - started;
            if (name !== "repeatable") report.longestMs = Math.max(report.longestMs, took);
            await sleep(Math.random() * pauseMs);
        }
    });
}

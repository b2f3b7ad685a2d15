import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresClient, withClient } from "../postgres/connect.ts";
import { scrub } from "../secrets.ts";
import { postStatus, type StatusApi } from "./status-api.ts";
import { writeLocalStatus } from "./status-file.ts";
import { heartbeatSeconds, type RunState, type StatusRow } from "./status-row.ts";
import { ensureStatusTable, failDeadRuns, writeStatus } from "./status-table.ts";

export interface KeeperOptions {
    readonly runId: string;
    /** The row as it is now, without the times of writing. */
    readonly current: () => Omit<StatusRow, "updatedAt" | "errorMessage" | "completedAt">;
    readonly restApi?: StatusApi;
    readonly now: () => Date;
    readonly warn: (message: string) => void;
    readonly info: (message: string) => void;
}

export interface Ending {
    readonly status: RunState;
    readonly message: string;
    readonly errorMessage: string | null;
    /** How long the run may be held up for it. */
    readonly patienceMs: number;
}

/** Pause between two writes, at least. */
const pauseMs = 1000;
/** A write that takes longer is given up, and its connection with it. */
const writePatienceMs = 5000;
/** After a connection failed. */
const reconnectMs = 5000;

/**
 * Writes a run's row to rebuild_status while it runs: into the database, or through the REST API while that does
 * not answer, and into target/status.json. What cannot be written is told once and never fails the run.
 */
export class StatusKeeper {
    readonly #options: KeeperOptions;
    readonly #stopped = new AbortController();
    readonly #closed = new AbortController();
    #session: { readonly client: PostgresClient; readonly end: () => void } | undefined;
    #url: string | undefined;
    #connecting: Promise<void> | undefined;
    #local: ((row: StatusRow) => Promise<void>) | undefined;
    #failedAt = Number.NEGATIVE_INFINITY;
    #warned = false;
    #isDirty = true;
    #wake = () => {};
    #loop: Promise<void> | undefined;

    constructor(options: KeeperOptions) {
        this.#options = options;
    }

    /** From now on the row also goes to the table in this database. */
    connect(url: string): void {
        if (this.#url !== undefined) return;
        this.#url = url;
        this.#start();
    }

    /** From now on it also goes to target/status.json: the caller holds the lock on that folder. */
    openLocal(targetDirectory: string, about: { readonly command: string; readonly target: string }): void {
        const status = { ...about, pid: process.pid };
        this.#local = (row) => writeLocalStatus(targetDirectory, { ...row, ...status });
        this.#start();
    }

    /** Something has changed: it is written soon. */
    touch(): void {
        this.#isDirty = true;
        this.#wake();
    }

    /** The last row, written wherever that is still possible within the time. */
    async finish(ending: Ending): Promise<void> {
        this.#stopped.abort();
        this.#wake();
        const { status, message, errorMessage, patienceMs } = ending;
        const row = {
            ...this.#row(
                errorMessage === null ? null : scrub(errorMessage),
                this.#options.now().toISOString(),
            ),
            status,
            message: scrub(message),
            ...(status === "completed" && { phaseNumber: this.#options.current().totalPhases }),
        };
        const share = patienceMs / 4;
        // What is under way goes first, or it would be written over the last word.
        if (this.#loop) await within(this.#loop, share).catch(() => undefined);
        await within(this.#write(row, share), patienceMs - share).catch((error) => this.#warnOnce(error));
        this.#session?.end();
        this.#closed.abort();
    }

    #row(errorMessage: string | null, completedAt: string | null): StatusRow {
        const updatedAt = this.#options.now().toISOString();
        const row = this.#options.current();
        return { ...row, message: scrub(row.message), errorMessage, updatedAt, completedAt };
    }

    #start(): void {
        this.#loop ??= this.#keep();
    }

    async #keep(): Promise<void> {
        const { signal } = this.#stopped;
        while (!signal.aborted) {
            this.#isDirty = false;
            await this.#write(this.#row(null, null));
            await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
            if (!this.#isDirty && !signal.aborted) await this.#change();
        }
    }

    /** Until something changes, or the heartbeat is due. */
    #change(): Promise<void> {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, heartbeatSeconds * 1000 - pauseMs);
            timer.unref();
            this.#wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }

    async #write(row: StatusRow, patienceMs = writePatienceMs): Promise<void> {
        await this.#local?.(row).catch((error) => this.#warnOnce(error));
        if (this.#url === undefined) return;
        try {
            await this.#writeTable(row, patienceMs);
        } catch (error) {
            this.#session?.end();
            const { restApi } = this.#options;
            try {
                if (!restApi) throw error;
                // Of two posts that overlap the last one counts, so the one before is dropped.
                await postStatus(restApi, row, row.completedAt === null ? this.#stopped.signal : undefined);
            } catch (second) {
                this.#warnOnce(restApi ? new Error(`${messageOf(error)}; ${messageOf(second)}`) : error);
            }
        }
    }

    async #writeTable(row: StatusRow, patienceMs: number): Promise<void> {
        if (!this.#session) {
            if (performance.now() - this.#failedAt < reconnectMs && row.completedAt === null)
                throw new Error("the connection for the status was lost a moment ago");
            await within(this.#connect(this.#url!), patienceMs);
        }
        await within(writeStatus(this.#session!.client, row), patienceMs);
    }

    /** A session of its own, which an interrupt of the run does not touch. */
    #connect(url: string): Promise<void> {
        if (this.#connecting) return this.#connecting;
        const { runId, info } = this.#options;
        const options = {
            url,
            applicationName: `rebuild status ${runId}`,
            statementTimeoutMs: writePatienceMs,
            connectTimeoutMs: writePatienceMs,
            retry: false,
            signal: this.#closed.signal,
        };
        this.#connecting = new Promise<void>((resolve, reject) => {
            withClient(options, async (client) => {
                await ensureStatusTable(client);
                for (const dead of await failDeadRuns(client, runId))
                    info(`run ${dead} had died without a word: marked as failed`);
                await new Promise<void>((end) => {
                    client.driver.once("end", end);
                    this.#session = { client, end };
                    resolve();
                });
            })
                .catch((error) => {
                    this.#failedAt = performance.now();
                    reject(error);
                })
                .finally(() => {
                    this.#session = undefined;
                    this.#connecting = undefined;
                });
        });
        return this.#connecting;
    }

    #warnOnce(error: unknown): void {
        if (this.#warned) return;
        this.#warned = true;
        this.#options.warn(
            `the status of this run cannot be written, which does not stop it: ${messageOf(error)}`,
        );
    }
}

/** The work's outcome, or an error when it takes too long; the work itself is not stopped. */
function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(
            () => reject(new Error(`no answer within ${milliseconds / 1000} s`)),
            milliseconds,
        );
        work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

import { setTimeout as sleep } from "node:timers/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { quoteName } from "../names.ts";

/** As long as a process has to end after a signal. */
const stoppedMs = 1000;

/**
 * Connections of one database, made when all are busy and kept for reuse. There is no upper bound: a model
 * that reads while it writes holds two, and waiting for a third would be a deadlock. Callers bound
 * themselves by what they run side by side.
 */
export class ConnectionPool {
    readonly #instance: DuckDBInstance;
    readonly #idle: DuckDBConnection[] = [];
    readonly #busy = new Set<DuckDBConnection>();
    readonly #interrupted = new WeakSet<DuckDBConnection>();
    readonly #underWay = new Set<Promise<unknown>>();
    readonly #catalog: string | undefined;
    readonly #ownsInstance: boolean;
    #closed = false;
    #isStopped = false;

    /** With a catalog, names without one mean those of that attached database. */
    constructor(instance: DuckDBInstance, catalog?: string, ownsInstance = true) {
        this.#instance = instance;
        this.#catalog = catalog;
        this.#ownsInstance = ownsInstance;
    }

    /** Another pool of the same instance, whose connections stand in an attached database. */
    within(catalog: string): ConnectionPool {
        return new ConnectionPool(this.#instance, catalog, false);
    }

    async acquire(): Promise<DuckDBConnection> {
        if (this.#closed) throw new Error("the warehouse is closed");
        const connection = this.#idle.pop() ?? (await this.track(this.#connect()));
        this.#busy.add(connection);
        this.#interrupted.delete(connection);
        return connection;
    }

    async #connect(): Promise<DuckDBConnection> {
        const connection = await this.#instance.connect();
        if (this.#catalog !== undefined) await connection.run(`use ${quoteName(this.#catalog)}`);
        return connection;
    }

    /** Since it was acquired. */
    wasInterrupted(connection: DuckDBConnection): boolean {
        return this.#interrupted.has(connection);
    }

    release(connection: DuckDBConnection): void {
        this.#busy.delete(connection);
        this.#idle.push(connection);
    }

    /** Rolls back what is open on a connection, a half-read stream included, and closes it. */
    async discard(connection: DuckDBConnection): Promise<void> {
        // There may be no transaction: the statement is there to end the stream, too.
        await this.track(connection.run("rollback")).catch(() => undefined);
        if (this.#busy.delete(connection)) connection.closeSync();
    }

    /**
     * Every call into the engine goes through here, because closing a connection on which a statement
     * still runs crashes the process.
     */
    track<T>(call: Promise<T>): Promise<T> {
        this.#underWay.add(call);
        const settled = () => this.#underWay.delete(call);
        call.then(settled, settled);
        return call;
    }

    /**
     * Interrupts what runs now. An interrupt is lost on a statement that still waits for a thread, so it is
     * repeated until every connection that was busy has come back.
     */
    interrupt(): void {
        const targets = new Set(this.#busy);
        const strike = () => {
            for (const connection of targets) {
                if (this.#busy.has(connection)) {
                    this.#interrupted.add(connection);
                    connection.interrupt();
                } else {
                    targets.delete(connection);
                }
            }
            return targets.size > 0 && this.#underWay.size > 0;
        };
        if (!strike()) return;
        const timer = setInterval(() => {
            if (!strike()) clearInterval(timer);
        }, 50);
        timer.unref();
    }

    /** Interrupts what runs, because the process is to end. */
    stop(): void {
        this.#isStopped = true;
        this.interrupt();
    }

    async close(): Promise<void> {
        this.#closed = true;
        // Closing writes a checkpoint and gives gigabytes back, while nothing else can happen: 3 to 7 s at 2.5 million
        // rows. A process that is told to stop has ended before that.
        if (this.#isStopped && this.#ownsInstance) await sleep(stoppedMs);
        if (this.#underWay.size > 0) this.interrupt();
        while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
        // Streams that nobody reads any more, and appenders that nobody closed.
        for (const connection of [...this.#busy]) await this.discard(connection);
        for (const connection of this.#idle.splice(0)) connection.closeSync();
        if (this.#ownsInstance) this.#instance.closeSync();
    }
}

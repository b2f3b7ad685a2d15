import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

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
    #closed = false;

    constructor(instance: DuckDBInstance) {
        this.#instance = instance;
    }

    async acquire(): Promise<DuckDBConnection> {
        if (this.#closed) throw new Error("the warehouse is closed");
        const connection = this.#idle.pop() ?? (await this.#instance.connect());
        this.#busy.add(connection);
        this.#interrupted.delete(connection);
        return connection;
    }

    /** Since it was acquired. */
    wasInterrupted(connection: DuckDBConnection): boolean {
        return this.#interrupted.has(connection);
    }

    release(connection: DuckDBConnection): void {
        this.#busy.delete(connection);
        if (this.#closed) connection.closeSync();
        else this.#idle.push(connection);
    }

    /** Closes a connection whose state is unknown, such as one with a half-read stream. */
    discard(connection: DuckDBConnection): void {
        this.#busy.delete(connection);
        connection.closeSync();
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
            return targets.size > 0;
        };
        if (!strike()) return;
        const timer = setInterval(() => {
            if (this.#closed || !strike()) clearInterval(timer);
        }, 50);
        timer.unref();
    }

    close(): void {
        this.#closed = true;
        for (const connection of this.#idle.splice(0)) connection.closeSync();
        for (const connection of this.#busy) {
            connection.interrupt();
            connection.closeSync();
        }
        this.#busy.clear();
        this.#instance.closeSync();
    }
}

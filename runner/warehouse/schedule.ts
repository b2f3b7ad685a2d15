/** What became of one task of a graph. */
export type Outcome = "done" | "failed" | "skipped" | "not_run";

export interface Graph {
    /** Names in dependency order: the order of starts among those that are ready. */
    readonly order: readonly string[];
    /** Names that must be done before; those outside `order` count as done. */
    readonly dependencies: (name: string) => readonly string[];
    readonly concurrency: number;
    readonly signal: AbortSignal;
}

export interface Work {
    /** Does one task; false is a failure. Must not throw for what is the task's own fault. */
    run(name: string): Promise<boolean>;
    /** Told of each task that cannot run because `cause`, a task it depends on, failed. */
    skip(name: string, cause: string): void;
}

/**
 * Runs a graph with at most `concurrency` tasks at a time. A failure skips what depends on it, directly or
 * not, and nothing else. After an abort nothing starts any more; what runs is waited for.
 */
export async function runGraph(graph: Graph, work: Work): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const causes = new Map<string, string>();
    const waiting = new Set(graph.order);
    const running = new Map<string, Promise<void>>();
    const bugs: unknown[] = [];
    let wake = () => {};

    const start = (name: string) => {
        const task = work
            .run(name)
            .then((done) => {
                outcomes.set(name, done ? "done" : "failed");
                if (!done) causes.set(name, name);
            })
            .catch((bug: unknown) => {
                bugs.push(bug);
            })
            .finally(() => {
                running.delete(name);
                wake();
            });
        running.set(name, task);
    };

    while (!graph.signal.aborted && bugs.length === 0) {
        const oneEnded = new Promise<void>((resolve) => {
            wake = resolve;
        });
        for (const name of waiting) {
            const dependencies = graph.dependencies(name);
            const cause = dependencies.map((one) => causes.get(one)).find((one) => one !== undefined);
            if (cause !== undefined) {
                waiting.delete(name);
                causes.set(name, cause);
                outcomes.set(name, "skipped");
                work.skip(name, cause);
            } else if (
                running.size < graph.concurrency &&
                dependencies.every((one) => !waiting.has(one) && !running.has(one))
            ) {
                waiting.delete(name);
                start(name);
            }
        }
        if (running.size === 0) break;
        await oneEnded;
    }
    await Promise.all(running.values());
    if (bugs.length > 0) throw bugs[0];
    for (const name of waiting) outcomes.set(name, "not_run");
    return outcomes;
}

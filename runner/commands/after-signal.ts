import { setTimeout as sleep } from "node:timers/promises";

/** What is still waited for once a signal has come, counted from its moment. */
export interface AfterSignal {
    /**
     * Milliseconds from now until so long after the signal, a tenth of a second at least; or what was given, without a
     * signal.
     */
    left(afterMs: number, otherwiseMs: number): number;
    /** The work's outcome; or the signal's reason is thrown, when the work is not done so long after the signal. */
    orStopped<T>(work: Promise<T>, afterMs: number): Promise<T>;
}

const leastMs = 100;

export function watchSignal(signal: AbortSignal): AfterSignal {
    let at = performance.now();
    signal.addEventListener(
        "abort",
        () => {
            at = performance.now();
        },
        { once: true },
    );
    const leftNow = (afterMs: number) => Math.max(leastMs, at + afterMs - performance.now());
    return {
        left: (afterMs, otherwiseMs) => (signal.aborted ? leftNow(afterMs) : otherwiseMs),
        async orStopped(work, afterMs) {
            const over = new AbortController();
            try {
                return await new Promise((resolve, reject) => {
                    const stop = () =>
                        void sleep(leftNow(afterMs), undefined, { signal: over.signal }).then(
                            () => reject(signal.reason),
                            () => undefined,
                        );
                    if (signal.aborted) stop();
                    else signal.addEventListener("abort", stop, { once: true, signal: over.signal });
                    work.then(resolve, reject);
                });
            } finally {
                over.abort();
            }
        },
    };
}

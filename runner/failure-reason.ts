import { isDiskFull } from "./disk-failure.ts";
import { type ExitCode, exitCodes, PublishError, QueryError, RebuildError } from "./errors.ts";

/** What ended a run, where a watcher may want to tell one from the other. */
export type FailureReason =
    | "cancelled"
    | "locked"
    | "disk_full"
    | "out_of_memory"
    | "connection_lost"
    /** The process ended without a word: SIGKILL, a crash, the machine. */
    | "died"
    | "failed";

const exitCodeOfReason: Partial<Record<FailureReason, ExitCode>> = {
    cancelled: exitCodes.interrupted,
    locked: exitCodes.locked,
    disk_full: exitCodes.diskFull,
    out_of_memory: exitCodes.outOfMemory,
    connection_lost: exitCodes.connectionLost,
};

/** DuckDB's own words: what failed in a model is known by its message alone. */
const outOfMemory = /Out of Memory Error|std::bad_alloc/;

/** Of an error, and of the messages of nodes that failed. */
export function failureReason(error: unknown, messages: readonly string[] = []): FailureReason | undefined {
    const texts = [
        ...messages,
        ...chainOf(error).map((one) => (one instanceof Error ? one.message : String(one))),
    ];
    if (error instanceof PublishError && error.reason === "locked") return "locked";
    if (texts.some(isDiskFull)) return "disk_full";
    if (texts.some((text) => outOfMemory.test(text))) return "out_of_memory";
    if (isConnectionLost(error)) return "connection_lost";
    return error === undefined && messages.length === 0 ? undefined : "failed";
}

/** The exit code of an error alone, or of a run with failed nodes. */
export function exitCodeOf(error: unknown, messages: readonly string[] = []): ExitCode {
    const reason = failureReason(error, messages);
    if (reason === undefined) return exitCodes.done;
    const own = exitCodeOfReason[reason];
    if (own !== undefined) return own;
    if (error instanceof RebuildError) return error.exitCode;
    return error === undefined ? exitCodes.failed : exitCodes.notMade;
}

/** Classes 08 (connection) and 57P0x (the server shuts down, crashed, or is not up yet). */
const lostCode = /^(08...|57P0[123])$/;

/** A session that worked broke off: the server went away, or the network did. */
export function isConnectionLost(error: unknown): boolean {
    return chainOf(error).some(
        (one) =>
            one instanceof QueryError &&
            one.failure.engine === "postgres" &&
            lostCode.test(one.failure.code ?? ""),
    );
}

/** What the reason means for whoever reads the message. */
export function adviceFor(reason: FailureReason | undefined): string | undefined {
    switch (reason) {
        case "connection_lost":
            return "The database ended the session: it was restarted, or the network broke. Run again.";
        case "disk_full":
            return "What this run had written is removed.";
        case "out_of_memory":
            return "DuckDB reached its memory limit.";
        default:
            return undefined;
    }
}

function chainOf(error: unknown): readonly unknown[] {
    const chain: unknown[] = [];
    for (let one = error; one !== undefined && one !== null && chain.length < 10; ) {
        chain.push(one);
        one = one instanceof Error ? one.cause : undefined;
    }
    return chain;
}

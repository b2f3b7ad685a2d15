import { QueryError } from "../errors.ts";
import type { NodeResult } from "../status/events.ts";
import type { ListedTest } from "./list-tests.ts";

/** What a test found. */
export interface Verdict {
    /** Rows, groups or differences that fail it. */
    readonly failures: number;
    readonly seconds: number;
    readonly message?: string;
    /** The test itself could not be run: failed, whatever its severity. */
    readonly broken?: boolean;
}

export function passed(seconds: number): Verdict {
    return { failures: 0, seconds };
}

export function brokenTest(message: string, seconds = 0): Verdict {
    return { failures: 0, seconds, message, broken: true };
}

/** A bug of ours is not a finding about the data. */
export function brokenBy(error: unknown, signal: AbortSignal, seconds = 0): Verdict {
    if (signal.aborted) return brokenTest("interrupted", seconds);
    if (!(error instanceof QueryError)) throw error;
    return brokenTest(error.message, seconds);
}

export function identity({ name, type }: ListedTest): Pick<NodeResult, "name" | "kind" | "detail"> {
    return { name, kind: "test", detail: type };
}

export function toResult(test: ListedTest, verdict: Verdict): NodeResult {
    const { failures, seconds, message, broken } = verdict;
    const passes = failures === 0 && !broken;
    const status = passes ? "success" : broken || test.severity === "error" ? "failed" : "warned";
    return {
        ...identity(test),
        status,
        seconds,
        ...(broken ? {} : { rows: failures }),
        ...(message === undefined ? {} : { message }),
    };
}

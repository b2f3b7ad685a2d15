import { scrub } from "./secrets.ts";

/** Exit codes of the command: see docs/operations.md. */
export const exitCodes = {
    done: 0,
    failed: 1,
    notMade: 2,
    locked: 3,
    diskFull: 4,
    outOfMemory: 5,
    connectionLost: 6,
    interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A place in a file of the project. Lines and columns count from 1. */
export interface Position {
    readonly file: string;
    readonly line?: number;
    readonly column?: number;
}

/**
 * An error that the program understands: printed without a stack. The message says where, what was
 * found, what is allowed and what to do next. Everything else is a bug and keeps its stack.
 */
export abstract class RebuildError extends Error {
    abstract override readonly name: string;
    abstract readonly exitCode: ExitCode;
    /** Scrubbed here, so that no message can reach a log, a record or a database with a secret in it. */
    constructor(message: string, options?: ErrorOptions) {
        super(scrub(message), options);
    }
}

/** One finding about the project's files or its environment. */
export interface Problem extends Partial<Position> {
    /** Dotted path of the key within the file, in the user's own names: `columns.total_races.type`. */
    readonly key?: string;
    readonly message: string;
}

/**
 * Settings that cannot be used: profiles.yml, rebuild.yml, model yml, the environment, a connection. All problems at
 * once.
 */
export class ConfigError extends RebuildError {
    override readonly name = "ConfigError";
    readonly exitCode = exitCodes.notMade;
    readonly problems: readonly Problem[];
    constructor(problems: readonly Problem[] | string, options?: ErrorOptions) {
        const list = typeof problems === "string" ? [{ message: problems }] : problems;
        super(describeProblems(list), options);
        this.problems = list;
    }
}

/** A template that cannot be compiled: syntax, unknown names, unknown refs. All problems at once. */
export class CompileError extends RebuildError {
    override readonly name = "CompileError";
    readonly exitCode = exitCodes.notMade;
    readonly problems: readonly Problem[];
    constructor(problems: readonly Problem[], options?: ErrorOptions) {
        super(describeProblems(problems), options);
        this.problems = problems;
    }
}

/** A graph that cannot be ordered or a selection that names nothing. */
export class GraphError extends RebuildError {
    override readonly name = "GraphError";
    readonly exitCode = exitCodes.notMade;
    readonly problems: readonly Problem[];
    constructor(problems: readonly Problem[], options?: ErrorOptions) {
        super(describeProblems(problems), options);
        this.problems = problems;
    }
}

export interface QueryFailure {
    /** `duckdb` or `postgres`. */
    readonly engine: "duckdb" | "postgres";
    /** The statement as it was sent, where known. */
    readonly sql?: string;
    /** Offset in `sql`, in characters from 0, where the engine told it. */
    readonly offset?: number;
    /** Postgres' SQLSTATE or DuckDB's error type (`Binder Error`). */
    readonly code?: string;
}

/** A statement or connection that failed while the run was under way. */
export class QueryError extends RebuildError {
    override readonly name = "QueryError";
    readonly exitCode: ExitCode;
    readonly failure: QueryFailure;
    constructor(
        message: string,
        failure: QueryFailure,
        options?: ErrorOptions & { readonly exitCode?: ExitCode },
    ) {
        super(message, options);
        this.failure = failure;
        this.exitCode = options?.exitCode ?? exitCodes.failed;
    }
}

export type PublishReason = "locked" | "preflight" | "verification" | "swap" | "load";

/** The publish step refused or gave up; the generation in service is untouched. */
export class PublishError extends RebuildError {
    override readonly name = "PublishError";
    readonly exitCode: ExitCode;
    readonly reason: PublishReason;
    constructor(reason: PublishReason, message: string, options?: ErrorOptions) {
        super(message, options);
        this.reason = reason;
        this.exitCode = reason === "locked" ? exitCodes.locked : exitCodes.failed;
    }
}

/** `models/a.sql:3:14 (columns.x) message`, one problem a line or a paragraph. */
function describeProblems(problems: readonly Problem[]): string {
    return problems
        .map(({ file, line, column, key, message }) => {
            const place = [file, line, column].filter((part) => part !== undefined).join(":");
            const where = [place, key && `(${key})`].filter(Boolean).join(" ");
            return where ? `${where}: ${message}` : message;
        })
        .join("\n");
}

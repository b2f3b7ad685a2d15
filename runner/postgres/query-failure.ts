import pg from "pg";
import { exitCodes, QueryError } from "../errors.ts";
import { scrub } from "../secrets.ts";

/** The driver's error as a QueryError: message, detail and hint; SQLSTATE; offset in the statement. */
export function toQueryError(error: unknown, sql?: string): QueryError {
    if (error instanceof QueryError) return error;
    if (!(error instanceof pg.DatabaseError)) {
        const text = error instanceof Error ? error.message : String(error);
        return new QueryError(
            scrub(`The connection to Postgres was lost: ${text}`),
            { engine: "postgres", code: "08006", ...(sql !== undefined && { sql }) },
            { cause: error },
        );
    }
    const { message, detail, hint, where, code, position } = error;
    const text = [message, detail, hint && `Hint: ${hint}`, where].filter(Boolean).join("\n");
    return new QueryError(
        scrub(text),
        {
            engine: "postgres",
            ...(sql !== undefined && { sql }),
            ...(code !== undefined && { code }),
            ...(sql !== undefined && position !== undefined && { offset: unitOffset(sql, Number(position)) }),
        },
        { cause: error },
    );
}

/** What a statement that was stopped by Ctrl-C ends with. */
export function interruptedError(cause?: unknown): QueryError {
    return new QueryError(
        "Interrupted.",
        { engine: "postgres", code: "57014" },
        { cause, exitCode: exitCodes.interrupted },
    );
}

/** Postgres counts characters from 1, JavaScript UTF-16 units from 0. */
function unitOffset(sql: string, position: number): number {
    return [...sql].slice(0, position - 1).join("").length;
}

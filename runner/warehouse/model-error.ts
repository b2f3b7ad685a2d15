import type { Position } from "../errors.ts";
import { QueryError } from "../errors.ts";

/** A compiled model or assertion, as far as an error in its SQL needs it. */
export interface CompiledSql {
    readonly file: string;
    readonly sql: string;
    readonly lineMap: readonly (Position | undefined)[];
}

/** The error of a statement that holds a model's SQL, in terms of that SQL alone. */
export function relativeToSql(error: QueryError, sql: string): QueryError {
    const { offset, ...failure } = error.failure;
    const start = sql === "" ? -1 : (failure.sql?.indexOf(sql) ?? -1);
    if (start < 0) return error;
    const inside = offset === undefined ? -1 : offset - start;
    const place = inside >= 0 && inside <= sql.length ? { offset: inside } : {};
    return new QueryError(error.message, { ...failure, sql, ...place }, { cause: error });
}

export function describeModelError(error: QueryError, node: CompiledSql): string {
    const { message, failure } = relativeToSql(error, node.sql);
    if (failure.offset === undefined || failure.sql === undefined) return `${node.file}: ${message}`;
    const before = failure.sql.slice(0, failure.offset).split("\n");
    const line = before.length;
    const column = before.at(-1)!.length;
    const text = failure.sql.split("\n")[line - 1] ?? "";
    return `${node.file}: ${message}\n  compiled line ${line}:\n    ${text}\n    ${" ".repeat(column)}^`;
}

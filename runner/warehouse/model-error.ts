import type { CompiledModel } from "../compile/compiled.ts";
import { QueryError } from "../errors.ts";

/** The error of the statement that materializes a model, in terms of the model's own SQL. */
export function relativeToModel(error: QueryError, model: CompiledModel): QueryError {
    const { sql, offset } = error.failure;
    const start = sql?.indexOf(model.sql) ?? -1;
    if (model.sql === "" || start < 0 || offset === undefined) return error;
    const inside = offset - start;
    const { offset: _, ...failure } = { ...error.failure, sql: model.sql };
    return new QueryError(
        error.message,
        inside >= 0 && inside <= model.sql.length ? { ...failure, offset: inside } : failure,
        { cause: error },
    );
}

export function describeModelError(error: QueryError, model: CompiledModel): string {
    const { message, failure } = relativeToModel(error, model);
    if (failure.offset === undefined || failure.sql === undefined) return `${model.file}: ${message}`;
    const before = failure.sql.slice(0, failure.offset).split("\n");
    const line = before.length;
    const column = before.at(-1)!.length;
    const text = failure.sql.split("\n")[line - 1] ?? "";
    return `${model.file}: ${message}\n  compiled line ${line}:\n    ${text}\n    ${" ".repeat(column)}^`;
}

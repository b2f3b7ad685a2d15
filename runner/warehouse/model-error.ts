import { describeSqlError, type SqlError } from "../compile/locate-error.ts";
import type { QueryError } from "../errors.ts";

/** The error of a statement that holds a node's SQL, in terms of the node's file and of that SQL alone. */
export function describeModelError({ message, failure }: QueryError, node: SqlError["node"]): string {
    // A TypeScript model has no SQL of its own: its query is shown instead.
    const sql = node.sql || (failure.sql ?? "");
    const start = sql === "" ? -1 : (failure.sql?.indexOf(sql) ?? -1);
    const offset = start < 0 || failure.offset === undefined ? -1 : failure.offset - start;
    const known = offset >= 0 && offset <= sql.length;
    return describeSqlError({ node: { ...node, sql }, message, ...(known ? { offset } : {}) });
}

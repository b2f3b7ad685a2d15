import { describeSqlError, type SqlError } from "../compile/locate-error.ts";
import type { QueryError } from "../errors.ts";

/** The error of a statement that holds a node's SQL, in terms of the node's file and of that SQL alone. */
export function describeModelError({ message, failure }: QueryError, node: SqlError["node"]): string {
    const { sql } = node;
    const start = sql === "" ? -1 : (failure.sql?.indexOf(sql) ?? -1);
    const offset = start < 0 || failure.offset === undefined ? -1 : failure.offset - start;
    const known = offset >= 0 && offset <= sql.length;
    return describeSqlError({ node, message, ...(known ? { offset } : {}) });
}

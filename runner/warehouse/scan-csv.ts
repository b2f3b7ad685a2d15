import { quoteText } from "../names.ts";
import type { ColumnType } from "./types.ts";

/**
 * Nothing is left to DuckDB's detection of dialects: given a line with a field too many it may decide that
 * the lines before it are a preamble, and skip them.
 */
export function scanCsv(path: string, columns: readonly ColumnType[]): string {
    const types = columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`);
    return `read_csv(${quoteText(path)}, auto_detect = false, header = true, ${csvDialect}, columns = {${types.join(", ")}})`;
}

export const csvDialect = `delim = ',', quote = '"', escape = '"', skip = 0, allow_quoted_nulls = false`;

import { scrub } from "../secrets.ts";
import type { Warehouse } from "../warehouse/types.ts";

const shownRows = 5;

/** A count, up to five of the failing rows, and the query that shows them all. */
export async function describeFailures(
    warehouse: Warehouse,
    failures: number,
    what: string,
    query: string,
): Promise<string> {
    const rows = await warehouse.rows(`select * from (\n${query}\n) order by all limit ${shownRows}`);
    const shown = rows.map((row) => `    ${showRow(row)}`);
    const rest = failures - rows.length;
    if (rest > 0) shown.push(`    and ${rest} more`);
    const noun = failures === 1 ? "row" : "rows";
    return [`${failures} ${noun}: ${what}`, ...shown, "  to see them:", indent(query)].join("\n");
}

function showRow(row: Readonly<Record<string, unknown>>): string {
    const entries = Object.entries(row);
    const shown = entries.slice(0, 8).map(([name, value]) => `${name}=${showValue(value)}`);
    return entries.length > 8 ? `${shown.join(", ")}, ...` : shown.join(", ");
}

function showValue(value: unknown): string {
    if (value === null) return "NULL";
    if (typeof value === "object") {
        return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
    }
    const text = scrub(String(value));
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function indent(text: string): string {
    return text
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n");
}

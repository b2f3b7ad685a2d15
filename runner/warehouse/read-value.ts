import {
    DuckDBBlobValue,
    DuckDBDateValue,
    DuckDBListValue,
    DuckDBMapValue,
    DuckDBStructValue,
    DuckDBTimestampTZValue,
    DuckDBTimestampValue,
    type DuckDBValue,
} from "@duckdb/node-api";

/** A value as plain JavaScript: what has no such form (decimal, date, interval ...) as text. */
export function readValue(value: DuckDBValue): unknown {
    if (value === null || typeof value !== "object") return value;
    if (value instanceof DuckDBListValue) return value.items.map(readValue);
    if (value instanceof DuckDBBlobValue) return value.bytes;
    if (value instanceof DuckDBStructValue) {
        return Object.fromEntries(
            Object.entries(value.entries).map(([name, entry]) => [name, readValue(entry)]),
        );
    }
    if (value instanceof DuckDBMapValue)
        return value.entries.map(({ key, value: entry }) => [readValue(key), readValue(entry)]);
    return infinityIn(value) ?? String(value);
}

/** Endless dates and timestamps as SQL writes them; the client would print a day in the year 5881580. */
function infinityIn(value: DuckDBValue): string | undefined {
    if (value instanceof DuckDBDateValue) return value.isFinite ? undefined : named(value.days > 0);
    if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
        return value.isFinite ? undefined : named(value.micros > 0n);
    return undefined;
}

const named = (isAfterAll: boolean) => (isAfterAll ? "infinity" : "-infinity");

import {
    DuckDBBlobValue,
    DuckDBListValue,
    DuckDBMapValue,
    DuckDBStructValue,
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
    return String(value);
}

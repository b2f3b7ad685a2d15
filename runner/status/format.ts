/** 1234567 → `1,234,567`. */
export function formatCount(count: number): string {
    return count.toLocaleString("en-US");
}

/** `1 row`, `2 rows`. */
export function countOf(count: number, noun: string): string {
    return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Seconds as `0.41s`, `12.3s` or `3m 05s`. */
export function formatSeconds(seconds: number): string {
    if (seconds < 10) return `${seconds.toFixed(2)}s`;
    if (seconds < 60) return `${seconds.toFixed(1)}s`;
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, "0")}s`;
}

/** Bytes in powers of 1024: `812 B`, `2.1 MB`. */
export function formatBytes(bytes: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
    const value = bytes / 1024 ** power;
    return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** Rows as a text table: numbers to the right, two spaces between columns. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
    const widths = header.map((name, column) =>
        Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
    );
    const numeric = header.map((_, column) => rows.every((row) => /^-?[\d,.]*$/.test(row[column] ?? "")));
    const line = (cells: readonly string[]) =>
        cells
            .map((cell, column) =>
                numeric[column] && rows.length > 0
                    ? cell.padStart(widths[column]!)
                    : cell.padEnd(widths[column]!),
            )
            .join("  ")
            .trimEnd();
    return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Age for people: `40 seconds`, `12 minutes`, `5 hours`, `3 days`. */
export function formatAge(seconds: number): string {
    const units = [
        ["day", 86_400],
        ["hour", 3_600],
        ["minute", 60],
    ] as const;
    const [unit, size] = units.find(([, length]) => seconds >= 2 * length) ?? ["second", 1];
    return countOf(Math.max(0, Math.round(seconds / size)), unit);
}

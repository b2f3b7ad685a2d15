/** `-12.345` as an integer scaled by 10^scale, rounded half away from zero as DuckDB casts; undefined: no number. */
export function parseDecimal(text: string, scale: number): bigint | undefined {
    const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(text);
    if (!match) return undefined;
    const [, sign, whole = "", fraction = ""] = match;
    if (whole === "" && fraction === "") return undefined;
    const kept = fraction.slice(0, scale).padEnd(scale, "0");
    const roundUp = (fraction[scale] ?? "0") >= "5" ? 1n : 0n;
    const magnitude = BigInt(whole + kept || "0") + roundUp;
    return sign === "-" ? -magnitude : magnitude;
}

export interface Interval {
    readonly months: number;
    readonly days: number;
    readonly micros: bigint;
}

const intervalForm =
    /^\s*(?:(-?\d+) years?)?\s*(?:(-?\d+) months?)?\s*(?:(-?\d+) days?)?\s*(?:(-?)(\d+):(\d{2}):(\d{2})(?:\.(\d{1,6}))?)?\s*$/;

/** An interval as DuckDB and Postgres print it: `1 year 2 months 3 days 04:05:06.789`. */
export function parseInterval(text: string): Interval | undefined {
    const match = intervalForm.exec(text);
    if (!match || text.trim() === "") return undefined;
    const [
        ,
        years = "0",
        months = "0",
        days = "0",
        sign,
        hours = "0",
        minutes = "0",
        seconds = "0",
        part = "",
    ] = match;
    const wholeSeconds = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
    const micros = wholeSeconds * 1_000_000n + BigInt(part.padEnd(6, "0"));
    return {
        months: Number(years) * 12 + Number(months),
        days: Number(days),
        micros: sign === "-" ? -micros : micros,
    };
}

/** The signed 128-bit integer that DuckDB stores: the highest bit is flipped, so that it sorts as text does. */
export function parseUuid(text: string): bigint | undefined {
    const digits = text.replaceAll("-", "");
    if (!/^[0-9a-f]{32}$/i.test(digits)) return undefined;
    return BigInt.asIntN(128, BigInt(`0x${digits}`) ^ (1n << 127n));
}

export function parseInteger(text: string): bigint | undefined {
    return /^\s*[+-]?\d+\s*$/.test(text) ? BigInt(text.trim().replace(/^\+/, "")) : undefined;
}

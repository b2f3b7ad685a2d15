const base = 10_000;
const powers = [1, 10, 100, 1000];

/**
 * A scaled integer as Postgres' binary numeric, written at `position` of `view`; returns the number of
 * bytes. Canonical as the server's own output: no zero groups at either end.
 * At most 8 + 2 * 11 bytes: 39 digits and a scale that does not divide by four.
 */
export function writeNumeric(
    view: DataView,
    position: number,
    scaled: number | bigint,
    scale: number,
): number {
    // Groups of four digits are aligned to the decimal point, so the last one may need padding.
    const padding = (4 - (scale % 4)) % 4;
    const negative = scaled < 0;
    if (typeof scaled === "number" && scale > 0 && scale <= 4) {
        const padded = (negative ? -scaled : scaled) * powers[padding]!;
        if (padded < base * base) return writeShort(view, position, padded, negative, scale);
    }
    const groups = digits;
    let count = 0;
    let rest = negative ? -scaled : scaled;
    if (typeof rest === "number" && rest > Number.MAX_SAFE_INTEGER / 1000) rest = BigInt(rest);
    if (typeof rest === "bigint") {
        rest *= 10n ** BigInt(padding);
        while (rest > MAX_SAFE) {
            groups[count++] = Number(rest % 10_000n);
            rest /= 10_000n;
        }
        rest = Number(rest);
    } else {
        rest *= powers[padding]!;
    }
    while (rest > 0) {
        const next = Math.floor(rest / base);
        groups[count++] = rest - next * base;
        rest = next;
    }
    const fraction = (scale + padding) / 4;
    let first = 0;
    while (first < count && groups[first] === 0) first++;
    const length = count - first;
    view.setInt16(position, length);
    view.setInt16(position + 2, length === 0 ? 0 : count - fraction - 1);
    view.setInt16(position + 4, negative && length > 0 ? 0x4000 : 0);
    view.setInt16(position + 6, scale);
    let at = position + 8;
    for (let group = count - 1; group >= first; group--, at += 2) view.setInt16(at, groups[group]!);
    return at - position;
}

/** One group on each side of the decimal point, as most values have it: a third of the time. */
function writeShort(
    view: DataView,
    position: number,
    padded: number,
    negative: boolean,
    scale: number,
): number {
    const whole = Math.floor(padded / base);
    const fraction = padded - whole * base;
    const length = (whole === 0 ? 0 : 1) + (fraction === 0 ? 0 : 1);
    view.setInt16(position, length);
    view.setInt16(position + 2, whole === 0 && length === 1 ? -1 : 0);
    view.setInt16(position + 4, negative ? 0x4000 : 0);
    view.setInt16(position + 6, scale);
    if (length === 0) return 8;
    view.setInt16(position + 8, whole === 0 ? fraction : whole);
    if (length === 2) view.setInt16(position + 10, fraction);
    return 8 + 2 * length;
}

export const longestNumeric = 8 + 2 * 11;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** Groups of one value, lowest first. */
const digits = new Int16Array(12);

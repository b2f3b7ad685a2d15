/**
 * Postgres' binary numeric: int16 digit count, int16 weight, uint16 sign, int16 scale, then digits to the base
 * 10,000. The value is `sum of digit_i * 10000^(weight - i)`.
 */
const headBytes = 8;
const negative = 0x4000;
const special = 0xc000;

const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/**
 * The numeric times 10^scale as a whole number, or NaN where doubles cannot tell exactly: too many digits, or digits
 * behind the scale. `readNumericExactly` then speaks.
 */
export function readNumeric(view: DataView, start: number, scale: number): number {
    const count = view.getInt16(start);
    if (count === 0) return view.getUint16(start + 4) >= special ? Number.NaN : 0;
    // Three digits to the base 10,000 and what the scale adds stay far below 2^53.
    if (count > 3) return Number.NaN;
    let value = view.getInt16(start + headBytes);
    if (count > 1) value = value * 10_000 + view.getInt16(start + headBytes + 2);
    if (count > 2) value = value * 10_000 + view.getInt16(start + headBytes + 4);
    const exponent = 4 * (view.getInt16(start + 2) - count + 1) + scale;
    if (exponent > 0) {
        if (exponent >= powers.length) return Number.NaN;
        value *= powers[exponent]!;
        if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
    } else if (exponent < 0) {
        if (-exponent >= powers.length) return Number.NaN;
        const divisor = powers[-exponent]!;
        if (value % divisor !== 0) return Number.NaN;
        value /= divisor;
    }
    return view.getUint16(start + 4) === negative ? -value : value;
}

/** The numeric times 10^scale, or `undefined` where that is not whole, or not a number. */
export function readNumericExactly(view: DataView, start: number, scale: number): bigint | undefined {
    const sign = view.getUint16(start + 4);
    if (sign >= special) return undefined;
    const count = view.getInt16(start);
    let value = 0n;
    for (let digit = 0; digit < count; digit++) {
        value = value * 10_000n + BigInt(view.getInt16(start + headBytes + 2 * digit));
    }
    const exponent = 4 * (view.getInt16(start + 2) - count + 1) + scale;
    const scaled = shift(value, exponent);
    return scaled === undefined || sign !== negative ? scaled : -scaled;
}

/** As Postgres prints it. */
export function printNumeric(view: DataView, start: number): string {
    const sign = view.getUint16(start + 4);
    if (sign === special) return "NaN";
    if (sign > special) return sign === 0xd000 ? "Infinity" : "-Infinity";
    const scale = view.getUint16(start + 6);
    const whole = readNumericExactly(view, start, scale) ?? 0n;
    const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, "0");
    const point = digits.length - scale;
    return `${whole < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

/** A decimal number in text times 10^scale, or `undefined` where that is not whole, or not a number. */
export function parseDigits(text: string, scale: number): bigint | undefined {
    const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?\s*$/i.exec(text);
    if (!match || !(match[2] || match[3])) return undefined;
    const fraction = match[3] ?? "";
    const value = BigInt(`${match[2]}${fraction}`);
    const scaled = shift(value, scale - fraction.length + Number(match[4] ?? 0));
    return scaled === undefined || match[1] !== "-" ? scaled : -scaled;
}

/** value * 10^exponent where that is whole. */
function shift(value: bigint, exponent: number): bigint | undefined {
    if (value === 0n) return 0n;
    if (exponent >= 0) return value * 10n ** BigInt(exponent);
    const divisor = 10n ** BigInt(-exponent);
    return value % divisor === 0n ? value / divisor : undefined;
}

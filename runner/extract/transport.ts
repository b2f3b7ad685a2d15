import { quoteName } from "../names.ts";
import type { Meaning, ParquetColumn } from "./parquet-column.ts";

/** How the bytes of a field of the binary COPY are read. */
export const readings = {
    bytes: 0,
    int16: 1,
    int32: 2,
    int64: 3,
    numeric: 4,
    /** A number as text. */
    digits: 5,
    boolean: 6,
    float32: 7,
    float64: 8,
    date: 9,
    timestamp: 10,
    /** A timestamp that must be midnight. */
    midnight: 11,
    time: 12,
    interval: 13,
} as const;
export type Reading = keyof typeof readings;

/** How the values of one declared column travel from Postgres into DuckDB. */
export interface Transport {
    /** The column in the query that is copied out. */
    readonly select: string;
    readonly reading: Reading;
    readonly column: ParquetColumn;
    /** Second column for what an interval has beside microseconds: `months << 32 | days`, NULL where both are 0. */
    readonly calendar?: ParquetColumn;
    /** DuckDB's expression over the Parquet column. */
    readonly expression: string;
    /** Bounds of the stored integer, inclusive; for decimals of the scaled one. */
    readonly min?: bigint;
    readonly max?: bigint;
    /** Digits after the point of the stored integer. */
    readonly scale?: number;
}

/** A column of the source, with its type as Postgres names it: `numeric(4,1)`, domains as what they are made of. */
export interface SourceType {
    readonly name: string;
    /** `int8`, `numeric`, `text` ...: the name in pg_type. */
    readonly type: string;
}

/**
 * The way for values of a source column into its declared type, or `undefined` where there is none that is
 * exact. A wider source type is no problem as long as the values fit: that is checked for each value.
 */
export function planTransport(declared: string, source: SourceType): Transport | undefined {
    const { type } = source;
    const name = quoteName(source.name);
    const way = (
        reading: Reading,
        column: Omit<ParquetColumn, "name">,
        rest: Partial<Transport> = {},
    ): Transport => ({
        select: name,
        reading,
        column: { name: source.name, ...column },
        expression: `cast(${name} as ${declared})`,
        ...rest,
    });
    const whole = integerBounds[declared];
    if (whole) {
        const reading = integerReadings[type] ?? numberReadings[type];
        return reading && way(reading, integerColumn(declared), { ...whole, scale: 0 });
    }
    const decimal = /^decimal\((\d+),(\d+)\)$/.exec(declared);
    if (decimal) {
        const precision = Number(decimal[1]);
        const scale = Number(decimal[2]);
        const bound = 10n ** BigInt(precision) - 1n;
        const physical = precision <= 9 ? "int32" : precision <= 18 ? "int64" : "fixed";
        const column = { physical, meaning: { kind: "decimal", precision, scale } } as const;
        const rest = { min: -bound, max: bound, scale, ...(isFloat(type) && { select: `${name}::text` }) };
        const reading = integerReadings[type] ?? (isFloat(type) ? "digits" : numberReadings[type]);
        return reading && way(reading, column, rest);
    }
    switch (declared) {
        case "varchar":
        case "json": {
            if (declared === "json" && type !== "json" && type !== "jsonb") return undefined;
            const select = textTypes.has(type) ? name : `${name}::text`;
            return way("bytes", { physical: "bytes", meaning: { kind: "utf8" } }, { select });
        }
        case "blob":
            return type === "bytea" ? way("bytes", { physical: "bytes" }) : undefined;
        case "uuid":
            if (type !== "uuid") return undefined;
            return way(
                "bytes",
                { physical: "bytes", meaning: { kind: "utf8" } },
                { select: `${name}::text` },
            );
        case "boolean":
            return type === "bool" ? way("boolean", smallColumn) : undefined;
        case "double":
        case "float":
            return floatWay(declared, type, name, way);
        case "date":
            if (type === "date") return way("date", { physical: "int32", meaning: { kind: "date" } });
            if (type !== "timestamp" && type !== "timestamptz") return undefined;
            return way("midnight", { physical: "int32", meaning: { kind: "date" } });
        case "timestamp":
        case "timestamptz": {
            // Without a zone they are read as UTC, the zone of every session of this program.
            const column = { physical: "int64", meaning: { kind: declared } } as const;
            if (type === "timestamp" || type === "timestamptz") return way("timestamp", column);
            return type === "date" ? way("timestamp", column, { select: `${name}::timestamp` }) : undefined;
        }
        case "time":
            return type === "time"
                ? way("time", { physical: "int64", meaning: { kind: "time" } })
                : undefined;
        case "interval":
            return intervalWay(source, way);
        default:
            return undefined;
    }
}

/** For messages: which types of Postgres a declared type can be read from. */
export function readableFrom(declared: string): string {
    const candidates = [...new Set([...Object.keys(numberReadings), ...otherTypes])];
    const found = candidates.filter((type) => planTransport(declared, { name: "it", type }));
    return found.join(", ");
}

type MakeWay = (
    reading: Reading,
    column: Omit<ParquetColumn, "name">,
    rest?: Partial<Transport>,
) => Transport;

function floatWay(
    declared: "double" | "float",
    type: string,
    name: string,
    way: MakeWay,
): Transport | undefined {
    const column = { physical: declared } as const;
    if (type === "float8") return way("float64", column);
    if (type === "float4") return way("float32", column);
    // The nearest number is what such a declaration asks for.
    if (numberReadings[type] === "numeric") return way("float64", column, { select: `${name}::float8` });
    const reading = integerReadings[type];
    return reading && way(reading, column);
}

const secondsBound = 9_223_372_036_854_775_807n;

/** An interval; or numbers, which are seconds. */
function intervalWay({ name, type }: SourceType, way: MakeWay): Transport | undefined {
    const micros = { physical: "int64" } as const;
    const quoted = quoteName(name);
    const expression = `to_microseconds(${quoted})`;
    if (type === "time") return way("time", micros, { expression });
    if (type === "interval") {
        const calendar: ParquetColumn = { name: `${name} calendar`, physical: "int64" };
        const beside = quoteName(calendar.name);
        return way("interval", micros, {
            calendar,
            expression:
                `case when ${beside} is null then ${expression} else to_months(cast(${beside} >> 32 as integer)) ` +
                // The lower half is signed: shifted up and down again it keeps its sign.
                `+ to_days(cast(xor(${beside} & 4294967295, 2147483648) - 2147483648 as integer)) + ${expression} end`,
        });
    }
    const reading = integerReadings[type] ?? (isFloat(type) ? "digits" : numberReadings[type]);
    if (!reading || type === "text" || type === "varchar") return undefined;
    return way(reading, micros, {
        expression,
        min: -secondsBound,
        max: secondsBound,
        scale: 6,
        ...(isFloat(type) && { select: `${quoted}::text` }),
    });
}

const integerReadings: Readonly<Record<string, Reading>> = { int2: "int16", int4: "int32", int8: "int64" };
const numberReadings: Readonly<Record<string, Reading>> = {
    ...integerReadings,
    numeric: "numeric",
    text: "digits",
    varchar: "digits",
};
const textTypes: ReadonlySet<string> = new Set(["text", "varchar"]);
const otherTypes = [
    "float4",
    "float8",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "bytea",
    "json",
    "jsonb",
];

function isFloat(type: string): boolean {
    return type === "float4" || type === "float8";
}

function bounds(bits: number, isSigned: boolean): { readonly min: bigint; readonly max: bigint } {
    const size = 1n << BigInt(bits);
    return isSigned ? { min: -size / 2n, max: size / 2n - 1n } : { min: 0n, max: size - 1n };
}

/** Decimals of Parquet have 38 digits at most, so that is how far a hugeint is carried. */
const hugeBound = 10n ** 38n - 1n;

const integerBounds: Readonly<Record<string, { readonly min: bigint; readonly max: bigint }>> = {
    tinyint: bounds(8, true),
    smallint: bounds(16, true),
    integer: bounds(32, true),
    bigint: bounds(64, true),
    utinyint: bounds(8, false),
    usmallint: bounds(16, false),
    uinteger: bounds(32, false),
    ubigint: bounds(64, false),
    hugeint: { min: -hugeBound, max: hugeBound },
};

const smallColumn = {
    physical: "int32",
    meaning: { kind: "integer", bits: 8, isSigned: true },
} as const;

function integerColumn(declared: string): Omit<ParquetColumn, "name"> {
    if (declared === "hugeint") {
        return { physical: "fixed", meaning: { kind: "decimal", precision: 38, scale: 0 } };
    }
    const isSigned = !declared.startsWith("u");
    const bits = ({ tinyint: 8, smallint: 16, integer: 32 } as const)[
        (isSigned ? declared : declared.slice(1)) as "tinyint"
    ] as 8 | 16 | 32 | undefined;
    const meaning: Meaning = { kind: "integer", bits: bits ?? 64, isSigned };
    return { physical: bits ? "int32" : "int64", meaning };
}

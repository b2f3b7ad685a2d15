import { quoteName } from "../names.ts";
import type { PublishedColumn, PublishedTable } from "./published.ts";

/** One number or text that both databases can compute of the same rows. */
export interface ColumnCheck {
    readonly what: string;
    readonly duckdb: string;
    readonly postgres: string;
    /** Compared as numbers, with this relative tolerance; absent: compared as text. */
    readonly tolerance?: number;
    /** The column whose values this counts. */
    readonly counts?: string;
    /** The column whose bytes, or elements, this counts. */
    readonly measures?: string;
    /** It counts the different keys. */
    readonly isOfKey?: true;
}

/** Sums of floats depend on the order of the rows; of absolute values only in their last digits. */
const sumTolerance = 1e-9;

export function columnChecks(table: PublishedTable): readonly ColumnCheck[] {
    const keys = table.key.map(quoteName).join(", ");
    // Of one column neither counts what is NULL; a row with NULLs in it is counted by both.
    const counted = table.key.length === 1 ? keys : `row(${keys})`;
    // A unique index has counted already.
    const indexed = [
        table.primaryKey,
        ...table.indexes.filter(({ unique }) => unique).map(({ columns }) => columns),
    ];
    const isCounted = indexed.some(
        (columns) => columns.length > 0 && columns.every((column) => table.key.includes(column)),
    );
    return [
        { what: "rows", duckdb: "count(*)", postgres: "count(*)" },
        ...(table.key.length > 0 && !isCounted
            ? [
                  {
                      what: `distinct (${table.key.join(", ")})`,
                      duckdb: `count(distinct ${counted})`,
                      postgres: `count(distinct ${counted})`,
                      isOfKey: true as const,
                  },
              ]
            : []),
        ...table.columns.flatMap(checksOf),
    ];
}

function checksOf({ name, postgresType }: PublishedColumn): readonly ColumnCheck[] {
    const column = quoteName(name);
    const both = (what: string, sql: string): ColumnCheck => ({
        what: `${what} of "${name}"`,
        duckdb: sql,
        postgres: sql,
    });
    const count = { ...both("values", `count(${column})`), counts: name };
    const minMax = [both("minimum", `min(${column})`), both("maximum", `max(${column})`)];
    if (/^(smallint|integer|bigint)$/.test(postgresType)) return [count, both("sum", `sum(${column})`)];
    const precision = /^numeric\((\d+),\d+\)$/.exec(postgresType)?.[1];
    // Exact where no sum can leave DuckDB's 38 digits.
    if (precision && Number(precision) <= 18) return [count, both("sum", `sum(${column})`)];
    if (precision) return [count, absoluteSum(name)];
    switch (postgresType) {
        case "boolean":
            return [count, both("true values", `count(*) filter (where ${column})`)];
        case "real":
        case "double precision":
            return [count, absoluteSum(name)];
        case "date":
            return [
                count,
                {
                    what: `days of "${name}"`,
                    duckdb: `sum(datediff('day', date '2000-01-01', ${column})) filter (where isfinite(${column}))`,
                    postgres: `sum(${column} - date '2000-01-01') filter (where isfinite(${column}))`,
                },
            ];
        case "text":
        case "json":
            return [
                count,
                {
                    what: `bytes of "${name}"`,
                    duckdb: `sum(strlen(${column}::varchar))`,
                    postgres: `sum(octet_length(${column}::text))`,
                    measures: name,
                },
            ];
        case "bytea":
            return [count, { ...both("bytes", `sum(octet_length(${column}))`), measures: name }];
        case "timestamp without time zone":
        case "timestamp with time zone":
            return [
                count,
                {
                    what: `microseconds of "${name}"`,
                    duckdb: `sum(epoch_us(${column})::hugeint) filter (where isfinite(${column}))`,
                    postgres: `sum((extract(epoch from ${column}) * 1000000)::numeric(30,0)) filter (where isfinite(${column}))`,
                },
            ];
        case "time without time zone":
            return [count, ...minMax];
        case "uuid":
            return [count, textMaximum(name)];
        case "interval":
            return [
                count,
                {
                    what: `microseconds of "${name}"`,
                    duckdb: `sum(((datepart('year', ${column}) * 12 + datepart('month', ${column})) * 30 + datepart('day', ${column}))::hugeint * 86400000000
                        + datepart('hour', ${column})::hugeint * 3600000000 + datepart('minute', ${column}) * 60000000 + datepart('microsecond', ${column}))`,
                    postgres: `sum(((extract(year from ${column}) * 12 + extract(month from ${column})) * 30 + extract(day from ${column})) * 86400000000
                        + extract(hour from ${column}) * 3600000000 + extract(minute from ${column}) * 60000000 + extract(microsecond from ${column}))::numeric(40,0)`,
                },
            ];
        default:
            return postgresType.endsWith("[]")
                ? [
                      count,
                      {
                          what: `elements of "${name}"`,
                          duckdb: `sum(len(${column}))`,
                          postgres: `sum(cardinality(${column}))`,
                          measures: name,
                      },
                  ]
                : [count];
    }
}

/** By bytes on both sides, whatever the database's collation. */
function textMaximum(name: string): ColumnCheck {
    const column = quoteName(name);
    return {
        what: `maximum of "${name}"`,
        duckdb: `max(${column}::varchar)`,
        postgres: `max(${column}::text collate "C")`,
    };
}

/** NaN and infinities count as the cap, and no sum overflows, which Postgres would call an error. */
function absoluteSum(name: string): ColumnCheck {
    const column = quoteName(name);
    return {
        what: `sum of absolute "${name}"`,
        duckdb: `sum(least(abs(${column}::double), 1e290))`,
        postgres: `sum(least(abs(${column}::double precision), 1e290))`,
        tolerance: sumTolerance,
    };
}

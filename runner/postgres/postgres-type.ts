/** How a DuckDB type is published. */
export interface PostgresType {
    /** As Postgres' own format_type prints it: `numeric(12,2)`, `timestamp with time zone`, `text[]`. */
    readonly sql: string;
    /** The type's OID; for an array that of its elements. */
    readonly oid: number;
    readonly array: boolean;
}

const scalars: Readonly<Record<string, readonly [sql: string, oid: number]>> = {
    BOOLEAN: ["boolean", 16],
    TINYINT: ["smallint", 21],
    SMALLINT: ["smallint", 21],
    INTEGER: ["integer", 23],
    BIGINT: ["bigint", 20],
    // Postgres has no unsigned integers: the next wider signed one holds every value.
    UTINYINT: ["smallint", 21],
    USMALLINT: ["integer", 23],
    UINTEGER: ["bigint", 20],
    UBIGINT: ["numeric(20,0)", 1700],
    HUGEINT: ["numeric(39,0)", 1700],
    UHUGEINT: ["numeric(39,0)", 1700],
    FLOAT: ["real", 700],
    DOUBLE: ["double precision", 701],
    VARCHAR: ["text", 25],
    // json, not jsonb: it gives back the very text that was stored.
    JSON: ["json", 114],
    BLOB: ["bytea", 17],
    UUID: ["uuid", 2950],
    DATE: ["date", 1082],
    TIME: ["time without time zone", 1083],
    TIMESTAMP: ["timestamp without time zone", 1114],
    TIMESTAMP_S: ["timestamp without time zone", 1114],
    TIMESTAMP_MS: ["timestamp without time zone", 1114],
    "TIMESTAMP WITH TIME ZONE": ["timestamp with time zone", 1184],
    INTERVAL: ["interval", 1186],
};

/** The Postgres type that holds every value of a DuckDB type exactly; undefined where there is none. */
export function postgresType(duckdbType: string): PostgresType | undefined {
    const element = /^(.*)\[\]$/s.exec(duckdbType)?.[1];
    if (element !== undefined) {
        const type = postgresType(element);
        // A list may hold lists of different lengths; Postgres' arrays are rectangular.
        return type && !type.array ? { sql: `${type.sql}[]`, oid: type.oid, array: true } : undefined;
    }
    if (duckdbType.startsWith("ENUM(")) return { sql: "text", oid: 25, array: false };
    const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(duckdbType);
    if (decimal) return { sql: `numeric(${decimal[1]},${decimal[2]})`, oid: 1700, array: false };
    const scalar = scalars[duckdbType];
    return scalar && { sql: scalar[0], oid: scalar[1], array: false };
}

/** What `postgresType` can map, for messages. */
export const publishableTypes = [...Object.keys(scalars), "DECIMAL", "ENUM", "lists of these"].join(", ");

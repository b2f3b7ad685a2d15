import { z } from "zod";
import { nearestNames } from "../names.ts";

/** What people write, and DuckDB's own name for it. */
const typeNames: Readonly<Record<string, string>> = {
    bigint: "bigint",
    int8: "bigint",
    long: "bigint",
    integer: "integer",
    int: "integer",
    int4: "integer",
    smallint: "smallint",
    int2: "smallint",
    tinyint: "tinyint",
    hugeint: "hugeint",
    ubigint: "ubigint",
    uinteger: "uinteger",
    usmallint: "usmallint",
    utinyint: "utinyint",
    double: "double",
    "double precision": "double",
    float8: "double",
    float: "float",
    real: "float",
    float4: "float",
    boolean: "boolean",
    bool: "boolean",
    varchar: "varchar",
    text: "varchar",
    string: "varchar",
    date: "date",
    time: "time",
    timestamp: "timestamp",
    "timestamp without time zone": "timestamp",
    timestamptz: "timestamptz",
    "timestamp with time zone": "timestamptz",
    interval: "interval",
    uuid: "uuid",
    blob: "blob",
    bytea: "blob",
    json: "json",
    jsonb: "json",
};

/** A numeric without precision: Postgres keeps every digit, DuckDB must be told how many. */
const plainDecimal = "decimal(18,6)";

/** Of a type as DuckDB writes it, in any case: whole, decimal or floating. */
export const isNumberType = (type: string) =>
    /^(u?(tiny|small|big|huge)?int(eger)?|decimal|float|double)\b/i.test(type);

/** DuckDB's type in lower case for a declared type, or `undefined` with the reason. */
export function normalizeType(declared: string): { readonly type: string } | { readonly problem: string } {
    const text = declared.trim().toLowerCase().replace(/\s+/g, " ");
    const list = /^(.*)\[\]$/.exec(text);
    if (list) {
        const element = normalizeType(list[1]!);
        return "type" in element ? { type: `${element.type}[]` } : element;
    }
    if (text === "numeric" || text === "decimal") return { type: plainDecimal };
    const decimal = /^(?:numeric|decimal) ?\( ?(\d+) ?(?:, ?(\d+) ?)?\)$/.exec(text);
    if (decimal) {
        const width = Number(decimal[1]);
        const scale = Number(decimal[2] ?? 0);
        if (width < 1 || width > 38 || scale > width) {
            return {
                problem: `${declared} is not a decimal that DuckDB has: a width of 1 to 38 and a scale up to it`,
            };
        }
        return { type: `decimal(${width},${scale})` };
    }
    const bare = text.replace(/^(varchar|character varying|char) ?\(\d+\)$/, "varchar");
    if (/^(enum|struct|map) ?\(.*\)$/.test(bare)) return { type: declared.trim() };
    const known = Object.hasOwn(typeNames, bare) ? typeNames[bare] : undefined;
    if (known) return { type: known };
    const nearest = nearestNames(text, Object.keys(typeNames));
    const hint = nearest.length > 0 ? `did you mean ${nearest.join(" or ")}? ` : "";
    const allowed = [...new Set(Object.values(typeNames)), "decimal(p,s)"].sort();
    return {
        problem: `unknown type ${declared}; ${hint}Allowed are ${allowed.join(", ")}, each also with []`,
    };
}

/** A declared type, as DuckDB writes it. */
export const columnTypeSchema = z.string().transform((declared, context) => {
    const result = normalizeType(declared);
    if ("type" in result) return result.type;
    context.addIssue({ code: "custom", message: result.problem });
    return z.NEVER;
});

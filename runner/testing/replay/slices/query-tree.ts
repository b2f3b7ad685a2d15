import { quoteText } from "../../../names.ts";
import type { Warehouse } from "../../../warehouse/types.ts";

/** A node of DuckDB's own tree of a query, as `json_serialize_sql` writes it. */
export type Fields = Readonly<Record<string, unknown>>;

/** A macro's body as a query, with the names of its parameters. */
export interface Macro {
    readonly parameters: readonly string[];
    readonly sql: string;
    /** Undefined for what DuckDB makes no tree of. */
    readonly tree: unknown;
}

/** The statements of a query; undefined for what DuckDB makes no tree of. */
export async function parseQuery(warehouse: Warehouse, sql: string): Promise<unknown> {
    const [row] = await warehouse.rows(`select json_serialize_sql(${quoteText(sql)})::varchar as tree`);
    const tree = JSON.parse(String(row!.tree)) as { readonly error: boolean; readonly statements?: unknown };
    return tree.error ? undefined : tree.statements;
}

/** By name. */
export async function readMacros(warehouse: Warehouse): Promise<ReadonlyMap<string, Macro>> {
    const rows = await warehouse.rows(
        `select function_name as name, function_type as type, to_json(parameters)::varchar as parameters, macro_definition as body
        from duckdb_functions() where not internal and macro_definition is not null`,
    );
    const macros = new Map<string, Macro>();
    for (const { name, type, parameters, body } of rows) {
        const sql = type === "macro" ? `select ${body}` : String(body);
        const tree = await parseQuery(warehouse, sql);
        macros.set(String(name), { parameters: JSON.parse(String(parameters)), sql, tree });
    }
    return macros;
}

export const isFields = (value: unknown): value is Fields => value !== null && typeof value === "object";

/** The name of the macro or function that a table is made by. */
export function tableFunction(fields: Fields): Fields | undefined {
    return fields.type === "TABLE_FUNCTION" ? (fields.function as Fields) : undefined;
}

/** Of a constant, where it is a number or begins like one: `'5000'::integer`. */
function numberOf({ value: constant }: Fields): number | undefined {
    const { type, value } = constant as Fields;
    const { id, type_info: info } = type as { readonly id: string; readonly type_info: Fields | null };
    if (typeof value === "string" && /^\s*-?\d/.test(value)) {
        const number = Number(value);
        return Number.isNaN(number) ? undefined : number;
    }
    if (typeof value !== "number") return undefined;
    return id === "DECIMAL" ? value / 10 ** Number(info?.scale ?? 0) : value;
}

/** What raises a number to a power. */
export const powers: ReadonlySet<string> = new Set(["^", "**", "pow", "power"]);

const arithmetic: Readonly<Record<string, (one: number, other: number) => number>> = {
    "+": (one, other) => one + other,
    "-": (one, other) => one - other,
    "*": (one, other) => one * other,
    "/": (one, other) => one / other,
    "//": (one, other) => Math.floor(one / other),
    "%": (one, other) => one % other,
    ...Object.fromEntries([...powers].map((name) => [name, (one: number, other: number) => one ** other])),
};

/** What arithmetic gives for these numbers; undefined where one of them is not known, or for another function. */
export function fold(name: string, operands: readonly (number | undefined)[]): number | undefined {
    const compute = arithmetic[name];
    const [one, other] = operands;
    if (!compute || one === undefined || operands.length > 2) return undefined;
    if (operands.length === 1) return name === "-" ? -one : one;
    return other === undefined ? undefined : compute(one, other);
}

/** A number that an expression says: a constant, or arithmetic on such. */
export function constantOf(fields: Fields): number | undefined {
    if (fields.class === "CONSTANT") return numberOf(fields);
    if (fields.class === "CAST") return constantOf(fields.child as Fields);
    if (fields.class !== "FUNCTION") return undefined;
    return fold(String(fields.function_name), (fields.children as readonly Fields[]).map(constantOf));
}

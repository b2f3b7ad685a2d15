import { compileText } from "../compile/compile-text.ts";
import { ConfigError } from "../errors.ts";
import { nearestNames, quoteName } from "../names.ts";
import { countOf, formatTable } from "../status/format.ts";
import type { Warehouse } from "../warehouse/types.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { prepare } from "./prepare.ts";

export interface ShowOptions extends CommonOptions {
    /** A model, seed or `sources.<name>`; or `inline`. */
    readonly name?: string;
    /** SQL with `{{ref}}` and `{{source}}`, run instead. */
    readonly inline?: string;
    /** Default 10. */
    readonly limit: number;
}

/** Prints rows of the last good warehouse. */
export async function show(
    options: ShowOptions,
    environment: Environment,
): Promise<readonly Record<string, unknown>[]> {
    const { project, compiled } = await prepare(options, environment);
    if ((options.name === undefined) === (options.inline === undefined)) {
        throw new ConfigError(
            'Say what to show: `rebuild show career` or `rebuild show --inline "select * from {{ref \\"career\\"}}"`.',
        );
    }
    return withLastGood(project, async (warehouse) => {
        const query =
            options.inline !== undefined
                ? compileText(project, options.inline).sql.replace(/;\s*$/, "")
                : `select * from ${await findRelation(warehouse, options.name!, compiled.nodes.keys())}`;
        const rows = await warehouse.rows(`select * from (\n${query}\n) limit ${options.limit}`);
        const { data, note } = environment.output;
        if (options.json)
            data(
                JSON.stringify(rows, (_key, value) => (typeof value === "bigint" ? exact(value) : value), 2),
            );
        else data(printRows(rows));
        note(countOf(rows.length, "row"));
        return rows;
    });
}

async function findRelation(warehouse: Warehouse, name: string, known: Iterable<string>): Promise<string> {
    const relations = await warehouse.rows(`
        select schema_name as schema, table_name as name from duckdb_tables() where not internal
        union all select schema_name, view_name from duckdb_views() where not internal`);
    const [schema, relation] = name.includes(".") ? name.split(".", 2) : ["main", name];
    const found = relations.find((row) => row.schema === schema && row.name === relation);
    if (found) return `${quoteName(schema!)}.${quoteName(relation!)}`;
    const near = nearestNames(name, [
        ...known,
        ...relations.map((row) => (row.schema === "main" ? String(row.name) : `${row.schema}.${row.name}`)),
    ]);
    throw new ConfigError(
        `The last good warehouse has no ${name}${near.length > 0 ? `; near: ${near.join(", ")}` : ""}. ` +
            "`rebuild ls` lists the models; ephemeral models and Postgres views are not in it.",
    );
}

/** JSON's readers take numbers as doubles: what would lose digits is a string. */
function exact(value: bigint): number | string {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
}

/** Wide rows stand upright, a column a line; narrow ones as a table. */
function printRows(rows: readonly Record<string, unknown>[]): string {
    if (rows.length === 0) return "(no rows)";
    const names = Object.keys(rows[0]!);
    const cells = rows.map((row) => names.map((name) => printValue(row[name])));
    if (names.length <= 8) return formatTable(names, cells);
    return formatTable(
        ["column", ...rows.map((_, index) => `row ${index + 1}`)],
        names.map((name, column) => [name, ...cells.map((row) => row[column]!)]),
    );
}

function printValue(value: unknown): string {
    if (value === null || value === undefined) return "NULL";
    if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(7)));
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

import { compileText } from "../compile/compile-text.ts";
import type { CompiledProject } from "../compile/compiled.ts";
import { ConfigError } from "../errors.ts";
import { quoteName } from "../names.ts";
import { countOf, formatTable } from "../status/format.ts";
import type { Warehouse } from "../warehouse/types.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { findRelation } from "./find-relation.ts";
import { withLastGood } from "./last-good.ts";
import { type ColumnOptions, pickColumns } from "./pick-columns.ts";
import { prepare } from "./prepare.ts";

export interface ShowOptions extends CommonOptions, ColumnOptions {
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
                : await selectFrom(warehouse, options.name!, compiled, options);
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

async function selectFrom(
    warehouse: Warehouse,
    name: string,
    { nodes }: CompiledProject,
    options: ColumnOptions,
): Promise<string> {
    const relation = await findRelation(warehouse, name, nodes.keys());
    const found = (await warehouse.describe(`select * from ${relation}`)).map((column) => column.name);
    const columns = pickColumns(name, found, nodes.get(name), options);
    return `select ${columns.map(quoteName).join(", ")} from ${relation}`;
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

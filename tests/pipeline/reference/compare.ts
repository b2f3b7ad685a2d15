import type { Warehouse } from "../../../runner/warehouse/types.ts";
import type { Columns } from "./expected-rows.ts";
import { readRows, type Value } from "./source-rows.ts";

export interface Comparison {
    readonly columns: number;
    readonly rows: number;
    /** One line a column that differs, with the first rows; and rows that only one side has. */
    readonly differences: readonly string[];
}

/** A row as it should be; columns by family, since one object of all hundred is slow to make. */
export interface Wanted {
    /** Values of the key columns. */
    readonly key: readonly Value[];
    readonly columns: readonly Columns[];
}

/** Compares a relation of the warehouse with the rows and columns expected, by its key. */
export async function compare(
    warehouse: Warehouse,
    relation: string,
    key: readonly string[],
    rows: readonly Wanted[],
): Promise<Comparison> {
    const names = rows[0] ? rows[0].columns.flatMap(Object.keys) : [];
    const expected = new Map(rows.map((row): [string, Wanted] => [row.key.join(" "), row]));
    const differing = new Map<string, string[]>();
    const differ = (what: string, example: string) => {
        const examples = differing.get(what);
        if (examples) examples.push(example);
        else differing.set(what, [example]);
    };
    const query = `select ${[...key, ...names].join(", ")} from ${relation}`;
    await readRows(warehouse, query, (row) => {
        const at = key.map((name) => row[name]).join(" ");
        const wanted = expected.get(at);
        if (!wanted) {
            differ("rows that should not be there", at);
            return;
        }
        expected.delete(at);
        for (const columns of wanted.columns) {
            for (const name of Object.keys(columns)) {
                if (!isSame(row[name] ?? null, columns[name] ?? null))
                    differ(name, `${at}: ${row[name]}, expected ${columns[name]}`);
            }
        }
    });
    for (const at of expected.keys()) differ("rows that are missing", at);
    return {
        columns: names.length,
        rows: rows.length,
        differences: [...differing].map(
            ([what, examples]) =>
                `${relation}, ${what}: ${examples.length} of ${rows.length} (${examples.slice(0, 3).join("; ")})`,
        ),
    };
}

/** Numbers as float stores them; near 0 what is left of the last digits does not count. */
function isSame(actual: Value, expected: Value): boolean {
    if (typeof expected === "string" || typeof expected === "boolean" || expected === null)
        return actual === expected;
    if (actual === null) return false;
    return Math.abs(Number(actual) - expected) <= 1e-6 * Math.max(0.01, Math.abs(expected));
}

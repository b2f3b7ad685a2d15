import type { Warehouse } from "../../../runner/warehouse/types.ts";
import type { Columns, ExpectedRow } from "./expected-rows.ts";
import { readRows, type Value } from "./source-rows.ts";

export interface Comparison {
    readonly columns: number;
    readonly rows: number;
    /** One line a column that differs, with the first rows; and rows that only one side has. */
    readonly differences: readonly string[];
}

/** Compares a relation of the warehouse with the rows and columns expected, by race_id and horse_slug. */
export async function compare(
    warehouse: Warehouse,
    relation: string,
    rows: readonly ExpectedRow[],
    columnsOf: (row: ExpectedRow) => readonly Columns[],
): Promise<Comparison> {
    const names = rows[0] ? columnsOf(rows[0]).flatMap(Object.keys) : [];
    const expected = new Map(rows.map((row): [string, ExpectedRow] => [keyOf(row), row]));
    const differing = new Map<string, string[]>();
    const differ = (what: string, example: string) => {
        const examples = differing.get(what);
        if (examples) examples.push(example);
        else differing.set(what, [example]);
    };
    const query = `select race_id, horse_slug, ${names.join(", ")} from ${relation}`;
    await readRows(warehouse, query, (row) => {
        const key = `${row.race_id} ${row.horse_slug}`;
        const wanted = expected.get(key);
        if (!wanted) {
            differ("rows that should not be there", key);
            return;
        }
        expected.delete(key);
        for (const columns of columnsOf(wanted)) {
            for (const name of Object.keys(columns)) {
                if (!isSame(row[name] ?? null, columns[name] ?? null))
                    differ(name, `${key}: ${row[name]}, expected ${columns[name]}`);
            }
        }
    });
    for (const key of expected.keys()) differ("rows that are missing", key);
    return {
        columns: names.length,
        rows: rows.length,
        differences: [...differing].map(
            ([what, examples]) =>
                `${relation}, ${what}: ${examples.length} of ${rows.length} (${examples.slice(0, 3).join("; ")})`,
        ),
    };
}

function keyOf({ starter }: ExpectedRow): string {
    return `${starter.race.raceId} ${starter.horseSlug}`;
}

/** Numbers as float stores them; near 0 what is left of the last digits does not count. */
function isSame(actual: Value, expected: Value): boolean {
    if (typeof expected === "string" || typeof expected === "boolean" || expected === null)
        return actual === expected;
    if (actual === null) return false;
    return Math.abs(Number(actual) - expected) <= 1e-6 * Math.max(0.01, Math.abs(expected));
}

import { nearestNames } from "../names.ts";
import type { ColumnType, Warehouse } from "../warehouse/types.ts";
import type { Testable } from "./list-tests.ts";

/**
 * Differences between the columns that a yml declares and those of the relation. A declared column that is
 * missing or of another type is one for every model; a column that nobody declared only for what is
 * published, where readers rely on the yml as its description.
 */
export async function checkContract(
    warehouse: Warehouse,
    node: Testable,
    found: readonly ColumnType[],
): Promise<readonly string[]> {
    const actual = new Map(found.map(({ name, type }) => [name, type]));
    const canonical = await canonicalTypes(warehouse, node);
    const differences: string[] = [];
    for (const { name, type } of node.config.columns) {
        const actualType = actual.get(name);
        if (actualType === undefined) {
            const near = nearestNames(name, actual.keys());
            const hint = near.length > 0 ? ` (there is ${near.join(", ")})` : "";
            differences.push(`${name} is declared, but missing from the table${hint}`);
        } else if (type !== undefined && canonical.get(type) !== actualType) {
            differences.push(`${name} is declared as ${type}, but is ${actualType.toLowerCase()}`);
        }
    }
    if (node.config.tags.includes("publish")) {
        const declared = new Set(node.config.columns.map(({ name }) => name));
        for (const { name, type } of found) {
            if (!declared.has(name)) differences.push(`${name} (${type.toLowerCase()}) is not declared`);
        }
    }
    return differences;
}

/** Declared types as DuckDB prints them: `numeric(12, 2)` and `decimal(12,2)` are one type. */
async function canonicalTypes(warehouse: Warehouse, node: Testable): Promise<ReadonlyMap<string, string>> {
    const declared = node.config.columns.map(({ type }) => type).filter((type) => type !== undefined);
    const types = [...new Set(declared)];
    if (types.length === 0) return new Map();
    const casts = types.map((type, index) => `cast(null as ${type}) as type_${index}`);
    const described = await warehouse.describe(`select ${casts.join(", ")}`);
    return new Map(types.map((type, index) => [type, described[index]!.type]));
}

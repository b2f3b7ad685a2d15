import type { CompiledProject } from "../compile/compiled.ts";
import { quoteName, quoteText } from "../names.ts";
import type { ModelTest, Testable } from "./list-tests.ts";

/** Where the rows of a model are: its relation, or the query of an ephemeral one. */
export function relationOf(node: Testable): string {
    if (node.kind === "model" && node.config.materialized === "ephemeral") return `(\n${node.sql}\n)`;
    return `main.${quoteName(node.name)}`;
}

/**
 * The condition that a failing row fulfils, for tests that look at one row at a time; absent for the others.
 * As in dbt, a NULL fails not_null only.
 */
export function rowCondition({ test, column }: ModelTest): string | undefined {
    if (column === undefined) return undefined;
    const condition = columnCondition(quoteName(column), test);
    if (condition === undefined) return undefined;
    return test.where === undefined ? condition : `(${test.where}\n) and (${condition})`;
}

function columnCondition(column: string, test: ModelTest["test"]): string | undefined {
    switch (test.type) {
        case "not_null":
            return `${column} is null`;
        case "accepted_values": {
            const values = test.values ?? [];
            // Text also tests an enum or a boolean; numbers are compared as numbers.
            const compared = values.some((value) => typeof value === "string")
                ? `${column}::varchar`
                : column;
            return `${compared} not in (${values.map(literal).join(", ")})`;
        }
        case "range": {
            const bounds = [
                test.min !== undefined && `${column} < ${test.min}`,
                test.max !== undefined && `${column} > ${test.max}`,
            ].filter(Boolean);
            return bounds.length > 0 ? bounds.join(" or ") : "false";
        }
        default:
            return undefined;
    }
}

function literal(value: string | number | boolean): string {
    return typeof value === "string" ? quoteText(value) : String(value);
}

/** A query with one row per failure, for the tests that compare rows with each other. */
export function failureQuery(compiled: CompiledProject, node: Testable, listed: ModelTest): string {
    const { test, column } = listed;
    const relation = relationOf(node);
    switch (test.type) {
        case "unique":
            return duplicates(relation, [column!], [`${quoteName(column!)} is not null`, test.where]);
        case "unique_combination":
            return duplicates(relation, test.columns ?? [], [test.where]);
        case "relationships": {
            const keys = [...new Set([...node.config.grain, column!])].map(
                (name) => `child.${quoteName(name)}`,
            );
            const field = quoteName(test.field!);
            return `select ${keys.join(", ")} from (select * from ${relation} ${where([test.where])}) as child
anti join (select ${field} as parent_key from ${parentRelation(compiled, test.to!)}) as parent
    on child.${quoteName(column!)} = parent.parent_key
where child.${quoteName(column!)} is not null`;
        }
        default: {
            const columns = [...new Set([...node.config.grain, ...(column === undefined ? [] : [column])])];
            return `select ${columns.map(quoteName).join(", ")} from ${relation} where ${rowCondition(listed)}`;
        }
    }
}

function duplicates(
    relation: string,
    columns: readonly string[],
    conditions: readonly (string | undefined)[],
): string {
    const names = columns.map(quoteName).join(", ");
    return `select ${names}, count(*) as rows from ${relation} ${where(conditions)}
group by ${names} having count(*) > 1`;
}

function where(conditions: readonly (string | undefined)[]): string {
    const given = conditions.filter((condition) => condition !== undefined);
    return given.length > 0 ? `where ${given.map((condition) => `(${condition}\n)`).join(" and ")}` : "";
}

function parentRelation(compiled: CompiledProject, name: string): string {
    const parent = compiled.nodes.get(name);
    if (parent && parent.kind !== "assertion") return relationOf(parent);
    return `sources.${quoteName(name)}`;
}

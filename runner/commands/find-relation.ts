import { ConfigError } from "../errors.ts";
import { nearestNames, quoteName } from "../names.ts";
import type { Warehouse } from "../warehouse/types.ts";

/** A table or view of the last good warehouse, quoted: a model, a seed, or `sources.<name>`. */
export async function findRelation(
    warehouse: Warehouse,
    name: string,
    known: Iterable<string>,
): Promise<string> {
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

import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CompiledModel } from "../compile/compiled.ts";
import { quoteName, quoteText } from "../names.ts";
import type { Project, WarehouseSettings } from "../project/project.ts";
import { scanCsv } from "./scan-csv.ts";
import type { ColumnType, Warehouse } from "./types.ts";

/** Schema of models and seeds. */
export const modelSchema = "main";

export function relationName(name: string, schema: string = modelSchema): string {
    return `${quoteName(schema)}.${quoteName(name)}`;
}

/** Makes a SQL model's relation in place of what had its name, in one transaction. */
export async function materialize(
    warehouse: Warehouse,
    model: CompiledModel,
    project: Pick<Project, "root" | "target">,
): Promise<void> {
    // Preparing refuses what is more than one statement, before the second one could do anything.
    const columns = await warehouse.describe(model.sql);
    switch (model.config.materialized) {
        case "table":
        case "postgres_table":
            return replaceRelation(warehouse, model.name, [
                createTable(relationName(model.name), columns, project.target.warehouse),
                `${insertPrefix(model.name)}${model.sql}`,
            ]);
        case "view":
            return replaceRelation(warehouse, model.name, [`${viewPrefix(model.name)}${model.sql}`]);
        case "external":
            return writeExternal(warehouse, model, project.root);
        default:
            throw new Error(`${model.name}: ${model.config.materialized} makes no relation in the warehouse`);
    }
}

/** On a line of its own, so that the model's lines stay whole and a caret under them is right. */
const insertPrefix = (name: string) => `insert into ${relationName(name)}\n`;
const viewPrefix = (name: string) => `create view ${relationName(name)} as\n`;

/**
 * Finding out how to compress a column takes longer than computing many of them: unless the profile says so, values are
 * stored as they are. Wide integers and dates are excepted, which shrink to little at no cost. For 500,000 starters it
 * took 33 s of CPU instead of 36, and 1.4 GB instead of 0.9.
 */
export function createTable(
    relation: string,
    columns: readonly ColumnType[],
    { compress = false }: Pick<WarehouseSettings, "compress">,
): string {
    const definitions = columns.map(({ name: column, type }) => {
        const kept = !compress && storedPlain.has(type) ? " using compression uncompressed" : "";
        return `${quoteName(column)} ${type}${kept}`;
    });
    return `create table ${relation} (${definitions.join(", ")})`;
}

const storedPlain = new Set([
    "BOOLEAN",
    "UTINYINT",
    "TINYINT",
    "USMALLINT",
    "SMALLINT",
    "FLOAT",
    "DOUBLE",
    "VARCHAR",
]);

/** Drops what has the name, be it table or view, and runs `create` in the same transaction. */
export async function replaceRelation(
    warehouse: Warehouse,
    name: string,
    create: readonly string[],
): Promise<void> {
    await warehouse.executeAll([...(await dropStatements(warehouse, name)), ...create]);
}

/** `drop table if exists` fails on a view and the other way round, so the kind is looked up. */
export async function dropStatements(warehouse: Warehouse, name: string): Promise<readonly string[]> {
    const found = await warehouse.rows(`
        select table_type from information_schema.tables
        where table_catalog = current_database()
            and table_schema = ${quoteText(modelSchema)} and table_name = ${quoteText(name)}`);
    return found.map(
        ({ table_type }) => `drop ${table_type === "VIEW" ? "view" : "table"} ${relationName(name)}`,
    );
}

/** Written beside its place and renamed, so that a reader of the file never meets half of it. */
async function writeExternal(warehouse: Warehouse, model: CompiledModel, root: string): Promise<void> {
    const { path: given, format } = model.config.external ?? {
        path: `target/external/${model.name}.parquet`,
        format: "parquet",
    };
    const path = resolve(root, given);
    const columns = await warehouse.describe(model.sql);
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
    try {
        const options = format === "csv" ? "(format csv, header)" : "(format parquet, compression zstd)";
        await warehouse.execute(`copy (\n${model.sql}\n) to ${quoteText(temporary)} ${options}`);
        await rename(temporary, path);
    } finally {
        await rm(temporary, { force: true });
    }
    const scan = format === "csv" ? scanCsv(path, columns) : `read_parquet(${quoteText(path)})`;
    await replaceRelation(warehouse, model.name, [`${viewPrefix(model.name)}select * from ${scan}`]);
}

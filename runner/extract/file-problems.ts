import { ConfigError, type Problem } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { Source } from "../project/project.ts";
import type { ColumnType, Warehouse } from "../warehouse/types.ts";
import { allowedForms } from "./checked-cast.ts";
import type { FilePart } from "./file-columns.ts";
import { readFunction } from "./source-files.ts";

/**
 * The first value of each column that its declared type cannot hold, with its place. It reads the file once
 * more, in order and in one thread, which only happens after the load has failed.
 */
export async function findWrongValues(
    warehouse: Warehouse,
    source: Source,
    { file, found, columns }: FilePart,
): Promise<ConfigError | undefined> {
    const checked = columns.filter(({ isWrong }) => isWrong !== undefined);
    if (checked.length === 0) return undefined;
    const number = file.format === "parquet" ? "file_row_number + 1" : "row_number() over ()";
    const numbered = `(select ${number} as "row number", * from ${readFunction(file, found, { inOrder: true })})`;
    const firsts = checked.map(
        ({ isWrong }, index) => `min(case when ${isWrong} then "row number" end) as first_${index}`,
    );
    const [places] = await warehouse.rows(`select ${firsts.join(", ")} from ${numbered} as numbered`);
    const problems: Problem[] = [];
    for (const [index, { column, foundName }] of checked.entries()) {
        const first = places?.[`first_${index}`];
        if (first === null || first === undefined || foundName === undefined) continue;
        const name = quoteName(foundName);
        const [row] = await warehouse.rows(
            `select cast(${name} as varchar) as value from ${numbered} as numbered where "row number" = ${first}`,
        );
        const value = row?.value;
        const line =
            file.format === "csv" ? await lineOf(warehouse, numbered, found, Number(first)) : undefined;
        problems.push({
            file: file.path,
            ...(line !== undefined && { line }),
            message:
                `row ${first}, column ${column.name}: ` +
                (value === null
                    ? `NULL, and sources.${source.name}.columns.${column.name} in ${source.file} is declared nullable: false.`
                    : `${JSON.stringify(value)} is no ${column.type}; allowed are ${allowedForms(column.type)}.`),
        });
    }
    return problems.length > 0 ? new ConfigError(problems) : undefined;
}

/** The line on which a row begins: behind the header, and behind the line breaks within earlier values. */
async function lineOf(
    warehouse: Warehouse,
    numbered: string,
    columns: readonly ColumnType[],
    row: number,
): Promise<number> {
    const text = `concat_ws(',', ${columns.map(({ name }) => quoteName(name)).join(", ")})`;
    const [found] = await warehouse.rows(
        `select coalesce(sum(length(${text}) - length(replace(${text}, chr(10), ''))), 0)::bigint as breaks
        from ${numbered} as numbered where "row number" < ${row}`,
    );
    return row + 1 + Number(found?.breaks ?? 0);
}

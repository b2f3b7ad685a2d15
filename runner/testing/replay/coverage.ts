import type { CompiledModel } from "../../compile/compiled.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";

/** How much of what a day's rows hold in the full build they hold in a slice of the history, too. */
export interface DayCoverage {
    /** ISO. */
    readonly day: string;
    /** By `model.column` that has values on the day: how many, in the full build and in the slice. */
    readonly columns: ReadonlyMap<string, { readonly all: number; readonly inSlice: number }>;
}

/** What the slices of an audit hold of their days, taken together. */
export interface Coverage {
    /** Values that are not NULL, in both builds. */
    readonly values: number;
    readonly inSlice: number;
    /** `model.column` that has values on a replayed day in a slice, or on one that is replayed whole. */
    readonly seen: readonly string[];
    /** `model.column` that has values on a day, and none wherever it was replayed; the first such day. */
    readonly unseen: readonly { readonly column: string; readonly model: string; readonly day: string }[];
}

/** A leak shows only where there are values, and what has half of its history lacks some. */
export async function dayCoverage(
    full: Warehouse,
    slice: Warehouse,
    models: readonly CompiledModel[],
    day: string,
): Promise<DayCoverage> {
    const [there, here] = [await valuesOn(full, models, day), await valuesOn(slice, models, day)];
    const columns = [...there].map(
        ([column, all]) => [column, { all, inSlice: here.get(column) ?? 0 }] as const,
    );
    return { day, columns: new Map(columns) };
}

/** A column that has values in one slice is seen, and so is one that has some on a day that is replayed whole. */
export async function mergeCoverages(
    coverages: readonly DayCoverage[],
    full: Warehouse,
    models: readonly CompiledModel[],
    wholeDays: readonly string[],
): Promise<Coverage> {
    const counts = coverages.flatMap(({ day, columns }) =>
        [...columns].map(([column, count]) => ({ column, day, ...count })),
    );
    const seen = new Set(counts.filter(({ inSlice }) => inSlice > 0).map(({ column }) => column));
    for (const day of wholeDays) {
        const lacking = models.filter(({ name }) =>
            counts.some(({ column }) => modelOf(column) === name && !seen.has(column)),
        );
        for (const column of (await valuesOn(full, lacking, day)).keys()) seen.add(column);
    }
    const named = new Set(counts.map(({ column }) => column));
    const unseen = new Map<string, string>();
    for (const { column, day } of counts.sort((one, other) => (one.day < other.day ? -1 : 1)))
        if (!seen.has(column) && !unseen.has(column)) unseen.set(column, day);
    return {
        values: counts.reduce((sum, { all }) => sum + all, 0),
        inSlice: counts.reduce((sum, { inSlice }) => sum + inSlice, 0),
        seen: [...named].filter((column) => seen.has(column)).sort(),
        unseen: [...unseen].sort().map(([column, day]) => ({ column, model: modelOf(column), day })),
    };
}

/** A model's name holds no dot, a column's may. */
const modelOf = (column: string) => column.slice(0, column.indexOf("."));

/** By `model.column`, columns without any left out: values that are not NULL in the day's rows. */
async function valuesOn(
    warehouse: Warehouse,
    models: readonly CompiledModel[],
    day: string,
): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const { name, config } of models) {
        const columns = await warehouse.describe(`select * from main.${quoteName(name)}`);
        const counts = columns.map((column, index) => `count(${quoteName(column.name)}) as column_${index}`);
        const [row] = await warehouse.rows(`
            select ${counts.join(", ")} from main.${quoteName(name)}
            where ${quoteName(config.asOf!)}::date = ${quoteText(day)}`);
        columns.forEach((column, index) => {
            const count = Number(row![`column_${index}`]);
            if (count > 0) found.set(`${name}.${column.name}`, count);
        });
    }
    return found;
}

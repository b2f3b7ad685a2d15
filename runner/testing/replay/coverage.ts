import type { CompiledModel } from "../../compile/compiled.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";

/** How much of what a day's rows hold in the full build they hold in a slice of the history, too. */
export interface Coverage {
    /** Values that are not NULL, in both builds. */
    readonly values: number;
    readonly inSlice: number;
    /** `model.column` that has values on the day, and none in the slice. */
    readonly unseen: readonly string[];
    /** `model.column` that has values in both. */
    readonly seen: readonly string[];
}

/**
 * A leak shows only where there are values, and what has half of its history lacks some. Views are left out, which
 * would be run for it: their columns are those of the tables they read.
 */
export async function coverage(
    full: Warehouse,
    slice: Warehouse,
    models: readonly CompiledModel[],
    day: string,
): Promise<Coverage> {
    const [seen, unseen]: [string[], string[]] = [[], []];
    let [values, inSlice] = [0, 0];
    for (const { name, config } of models) {
        if (config.materialized === "view") continue;
        const columns = await slice.describe(`select * from main.${quoteName(name)}`);
        const counts = columns.map((column, index) => `count(${quoteName(column.name)}) as column_${index}`);
        const query = `
            select ${counts.join(", ")} from main.${quoteName(name)}
            where ${quoteName(config.asOf!)}::date = ${quoteText(day)}`;
        const [[there], [here]] = [await full.rows(query), await slice.rows(query)];
        columns.forEach((column, index) => {
            const [all, found] = [Number(there![`column_${index}`]), Number(here![`column_${index}`])];
            values += all;
            inSlice += found;
            if (all > 0) (found > 0 ? seen : unseen).push(`${name}.${column.name}`);
        });
    }
    return { values, inSlice, seen, unseen };
}

/** Of several days: a column that is seen on one of them is seen. */
export function mergeCoverages(coverages: readonly Coverage[]): Coverage {
    const seen = new Set(coverages.flatMap((one) => one.seen));
    const unseen = new Set(coverages.flatMap((one) => one.unseen).filter((column) => !seen.has(column)));
    return {
        values: coverages.reduce((sum, { values }) => sum + values, 0),
        inSlice: coverages.reduce((sum, { inSlice }) => sum + inSlice, 0),
        seen: [...seen].sort(),
        unseen: [...unseen].sort(),
    };
}

import type { CompiledModel } from "../../../compile/compiled.ts";
import { quoteName, quoteText } from "../../../names.ts";
import type { Warehouse } from "../../../warehouse/types.ts";
import type { LongCount } from "./long-counts.ts";

/** Values that are not NULL, in both builds. */
interface ColumnCoverage {
    readonly all: number;
    readonly inSlice: number;
    /** There are some; on the day enough for a leak to show, and not all the same where those of the full build are not. */
    readonly shows: boolean;
}

/** How much of what a day's rows hold in the full build they hold in a slice of the history, too. */
export interface DayCoverage {
    /** ISO. */
    readonly day: string;
    /** By `model.column` that has values on the day, or else before it: how many, in the full build and in the slice. */
    readonly columns: ReadonlyMap<string, ColumnCoverage>;
}

/** What the slices of an audit hold of their days, taken together. */
export interface Coverage {
    /** Values that are not NULL, in both builds. */
    readonly values: number;
    readonly inSlice: number;
    /** `model.column` that has values on a replayed day in a slice, or on one that is replayed whole. */
    readonly seen: readonly string[];
    /** `model.column` that has values on a day, and too few wherever it was replayed; the first such day. */
    readonly unseen: readonly { readonly column: string; readonly model: string; readonly day: string }[];
    /** Models that count further than a slice reaches. */
    readonly counting: readonly LongCount[];
}

/** Values of a column in a slice by which a leak shows: one or two may be what they are by chance. */
const enough = 5;

/** What a column holds in some rows. */
interface Values {
    /** Not NULL. */
    readonly count: number;
    /** They are not all the same. */
    readonly isVaried: boolean;
}

/** A leak shows only where there are values, and what has a part of its history lacks some. */
export async function dayCoverage(
    full: Warehouse,
    slice: Warehouse,
    models: readonly CompiledModel[],
    day: string,
): Promise<DayCoverage> {
    const [onDay, before] = [`= ${quoteText(day)}`, `< ${quoteText(day)}`];
    const columns = new Map<string, ColumnCoverage>();
    // What waits to move on is of no earlier day.
    const left = new Set(models.map(({ config }) => config.movesFrom));
    for (const model of models) {
        const all = await valuesOf(full, model, await columnsOf(full, model), onDay);
        const names = (wanted: boolean) =>
            [...all].filter(([, { count }]) => count > 0 === wanted).map(([column]) => column);
        for (const [days, only] of [
            [onDay, names(true)],
            [before, left.has(model.name) ? [] : names(false)],
        ] as const) {
            if (only.length === 0) continue;
            const there = days === onDay ? all : await valuesOf(full, model, only, days);
            const here = await valuesOf(slice, model, only, days);
            for (const column of only) {
                const [whole, part] = [there.get(column)!, here.get(column)!];
                if (whole.count === 0) continue;
                const shows =
                    days === onDay
                        ? part.count >= Math.min(whole.count, enough) && part.isVaried >= whole.isVaried
                        : part.count > 0;
                columns.set(`${model.name}.${column}`, { all: whole.count, inSlice: part.count, shows });
            }
        }
    }
    return { day, columns };
}

/** A column that has values in one slice is seen, and so is one that has some on a day that is replayed whole. */
export async function mergeCoverages(
    coverages: readonly DayCoverage[],
    full: Warehouse,
    models: readonly CompiledModel[],
    wholeDays: readonly string[],
    counting: readonly LongCount[],
): Promise<Coverage> {
    const counts = coverages.flatMap(({ day, columns }) =>
        [...columns].map(([column, count]) => ({ column, day, ...count })),
    );
    const seen = new Set(counts.filter(({ shows }) => shows).map(({ column }) => column));
    for (const day of wholeDays) {
        const lacking = models.filter(({ name }) =>
            counts.some(({ column }) => modelOf(column) === name && !seen.has(column)),
        );
        for (const model of lacking)
            for (const [column, { count }] of await valuesOf(
                full,
                model,
                await columnsOf(full, model),
                `= ${quoteText(day)}`,
            ))
                if (count > 0) seen.add(`${model.name}.${column}`);
    }
    const named = new Set(counts.map(({ column }) => column));
    const unseen = new Map<string, string>();
    for (const { column, day } of counts.sort((one, other) => (one.day < other.day ? -1 : 1)))
        if (!seen.has(column) && !unseen.has(column)) unseen.set(column, day);
    return {
        values: counts.reduce((sum, { all }) => sum + all, 0),
        inSlice: counts.reduce((sum, { inSlice }) => sum + inSlice, 0),
        seen: [...named].filter((column) => seen.has(column)).sort(),
        counting,
        unseen: [...unseen].sort().map(([column, day]) => ({ column, model: modelOf(column), day })),
    };
}

/** A model's name holds no dot, a column's may. */
const modelOf = (column: string) => column.slice(0, column.indexOf("."));

async function columnsOf(warehouse: Warehouse, { name }: CompiledModel): Promise<readonly string[]> {
    return (await warehouse.describe(`select * from main.${quoteName(name)}`)).map((column) => column.name);
}

/** By column: values in rows of such a day. */
async function valuesOf(
    warehouse: Warehouse,
    { name, config }: CompiledModel,
    columns: readonly string[],
    days: string,
): Promise<ReadonlyMap<string, Values>> {
    const values = columns.map(
        (column, index) =>
            `count(${quoteName(column)}) as count_${index}, min(${quoteName(column)}) < max(${quoteName(column)}) as varies_${index}`,
    );
    const [row] = await warehouse.rows(`
        select ${values.join(", ")} from main.${quoteName(name)}
        where ${quoteName(config.asOf!)}::date ${days}`);
    return new Map(
        columns.map((column, index) => [
            column,
            { count: Number(row![`count_${index}`]), isVaried: row![`varies_${index}`] === true },
        ]),
    );
}

import type { CompiledModel } from "../../../compile/compiled.ts";
import { quoteName, quoteText } from "../../../names.ts";
import type { ColumnType, Warehouse } from "../../../warehouse/types.ts";
import type { LongCount } from "./long-counts.ts";

/** Which columns a slice of the history shows, of those that a day's rows have values in. */
export interface DayCoverage {
    /** ISO. */
    readonly day: string;
    /**
     * By `model.column` that has values on the day, or else before it, and that no other slice has shown: whether there
     * are some in the slice; on the day enough for a leak to show, and not all the same where those of the full build
     * are not.
     */
    readonly columns: ReadonlyMap<string, boolean>;
}

/** What the slices of an audit hold of their days, taken together. */
export interface Coverage {
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

interface CoverageOptions {
    readonly full: Warehouse;
    readonly slice: Warehouse;
    readonly models: readonly CompiledModel[];
    readonly columnsOf: (model: string) => Promise<readonly ColumnType[]>;
    /** `model.column` that another slice has shown: not looked at again. What this one shows is added. */
    readonly shown: Set<string>;
    /** ISO. */
    readonly day: string;
}

/** A leak shows only where there are values, and what has a part of its history lacks some. */
export async function dayCoverage({
    full,
    slice,
    models,
    columnsOf,
    shown,
    day,
}: CoverageOptions): Promise<DayCoverage> {
    const [onDay, before] = [`= ${quoteText(day)}`, `< ${quoteText(day)}`];
    const columns = new Map<string, boolean>();
    // What waits to move on is of no earlier day.
    const left = new Set(models.map(({ config }) => config.movesFrom));
    for (const model of models) {
        const tell = (column: string, shows: boolean) => {
            columns.set(`${model.name}.${column}`, shows);
            if (shows) shown.add(`${model.name}.${column}`);
        };
        const names = (await columnsOf(model.name))
            .map(({ name }) => name)
            .filter((name) => !shown.has(`${model.name}.${name}`));
        if (names.length === 0) continue;
        // Of a day that is over there is none: a look at one column, and not at all of a wide view.
        if (left.has(model.name) && (await isEmpty(full, model, onDay))) continue;
        const parts = await valuesOf(slice, model, names, onDay);
        // The full build is asked only for what the slice leaves open: a wide view takes its time.
        const open = names.filter((name) => !isEnough(parts.get(name)!));
        for (const name of names) if (!open.includes(name)) tell(name, true);
        const wholes = await valuesOf(full, model, open, onDay);
        const isOnDay = (name: string) => wholes.get(name)!.count > 0;
        for (const name of open.filter(isOnDay)) {
            const [whole, part] = [wholes.get(name)!, parts.get(name)!];
            tell(name, part.count >= Math.min(whole.count, enough) && part.isVaried >= whole.isVaried);
        }
        const others = left.has(model.name) ? [] : open.filter((name) => !isOnDay(name));
        const earlier = await valuesOf(full, model, others, before);
        const known = others.filter((name) => earlier.get(name)!.count > 0);
        const inSlice = await valuesOf(slice, model, known, before);
        for (const name of known) tell(name, inSlice.get(name)!.count > 0);
    }
    return { day, columns };
}

async function isEmpty(warehouse: Warehouse, { name, config }: CompiledModel, days: string) {
    const [row] = await warehouse.rows(
        `select count(*) as rows from main.${quoteName(name)} where ${quoteName(config.asOf!)}::date ${days}`,
    );
    return Number(row!.rows) === 0;
}

const isEnough = ({ count, isVaried }: Values) => count >= enough && isVaried;

/** A column that has values in one slice is seen, and so is one that has some on a day that is replayed whole. */
export async function mergeCoverages(
    coverages: readonly DayCoverage[],
    full: Warehouse,
    models: readonly CompiledModel[],
    wholeDays: readonly string[],
    counting: readonly LongCount[],
): Promise<Coverage> {
    const counts = coverages.flatMap(({ day, columns }) =>
        [...columns].map(([column, shows]) => ({ column, day, shows })),
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
    if (columns.length === 0) return new Map();
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

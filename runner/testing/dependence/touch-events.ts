import type { CompiledModel } from "../../compile/compiled.ts";
import { ConfigError } from "../../errors.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";

/** Models whose rows are found by the same keys, event and date. */
export interface Frame {
    readonly models: readonly CompiledModel[];
    readonly grain: readonly string[];
    /** Column of the event. */
    readonly event: string;
    readonly asOf: string;
}

/** What was changed on the day T: some events in one row, some in all rows, and some not at all. */
export interface Touched {
    readonly day: string;
    readonly events: number;
    readonly rows: number;
    readonly untouched: number;
}

export const touchedTable = "dependence.touched";

export function framesOf(models: readonly CompiledModel[]): readonly Frame[] {
    const frames = new Map<string, Frame>();
    for (const model of models) {
        const { grain, asOf, event = grain[0] } = model.config;
        if (asOf === undefined || event === undefined) continue;
        const key = JSON.stringify([grain, event, asOf]);
        const known = frames.get(key);
        frames.set(key, { models: [...(known?.models ?? []), model], grain, event, asOf });
    }
    return [...frames.values()];
}

/**
 * Chooses T among the later days of the first model that has rows, one with many events, and on it what is changed: of
 * three events one in a single row, one stays, to see what flows between events of a day, and one in all rows.
 */
export async function touchEvents(
    full: Warehouse,
    { models, grain, event, asOf }: Frame,
    asked: string | undefined,
): Promise<Touched> {
    const [model] = models;
    const relation = `main.${quoteName(model!.name)}`;
    const date = `${quoteName(asOf)}::date`;
    const key = quoteName(event);
    const day = asked ?? (await chooseDay(full, relation, date, key));
    if (day === undefined)
        throw new ConfigError(`${model!.name} has no rows in the sample: nothing can be measured.`);
    await full.execute("create schema if not exists dependence");
    await full.execute(`
        create or replace table ${touchedTable} as
        with rows as (
            select
                ${grain.map(quoteName).join(", ")},
                dense_rank() over (order by hash(${key}), ${key}) % 3 as third,
                row_number() over (partition by ${key} order by hash(${grain.map(quoteName).join(", ")})) as place,
            from ${relation}
            where ${date} = ${quoteText(day)}
        )
        select
            ${grain.map(quoteName).join(", ")},
            case third when 1 then 'single' when 2 then 'none' else 'whole' end as kind,
            kind = 'whole' or (kind = 'single' and place = 1) as is_touched,
        from rows`);
    const [found] = await full.rows(`
        select count(distinct ${key}) filter (where kind <> 'none')::integer as events,
            count(*) filter (where is_touched)::integer as rows,
            count(distinct ${key}) filter (where kind = 'none')::integer as untouched
        from ${touchedTable}`);
    const touched = {
        day,
        events: Number(found!.events),
        rows: Number(found!.rows),
        untouched: Number(found!.untouched),
    };
    if (touched.rows > 0) return touched;
    throw new ConfigError(`${model!.name} has no rows on ${day}: choose a day with some.`);
}

/** Of the days in the third quarter, the one with most events: enough of them on both sides. */
async function chooseDay(
    full: Warehouse,
    relation: string,
    date: string,
    key: string,
): Promise<string | undefined> {
    const [row] = await full.rows(`
        with days as (
            select ${date} as day, count(distinct ${key}) as events, count(*) as rows
            from ${relation} where ${date} is not null group by all
        ),
        placed as (select *, sum(rows) over (order by day) / sum(rows) over () as share from days)
        select day::varchar as day from placed
        order by share between 0.5 and 0.75 desc, events desc, day limit 1`);
    return row === undefined ? undefined : String(row.day);
}

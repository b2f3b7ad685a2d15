import { quoteName, quoteText } from "../../names.ts";
import type { Source } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { clockedSources, type EventGroup } from "../replay/clocks.ts";
import { eventDays } from "../replay/events.ts";
import { joinOn } from "../replay/world.ts";

/** The days that the sample spans, and how many events are in it. */
export interface Sample {
    readonly from: string;
    readonly to: string;
    readonly events: number;
}

/** Copies the latest events of every source, whole days of them, and all rows of sources without a clock. */
export async function sampleSources(
    scratch: Warehouse,
    base: string,
    sources: readonly Source[],
    events: number,
): Promise<Sample | undefined> {
    await scratch.execute("create schema sources");
    const groups = new Map(clockedSources(sources).map(({ source, group }) => [source.name, group]));
    const [first] = groups.values();
    const sample = first && (await readSample(scratch, base, first, events));
    for (const source of sources) {
        const table = `sources.${quoteName(source.name)}`;
        const group = groups.get(source.name);
        await scratch.execute(`
            create table ${table} as
            select source.* from ${base}.${table} as source
            ${group && sample ? `where ${isSampled(group, base, sample)}` : ""}`);
    }
    return sample;
}

async function readSample(
    scratch: Warehouse,
    base: string,
    group: EventGroup,
    events: number,
): Promise<Sample | undefined> {
    const [row] = await scratch.rows(`
        with days as (${eventDays(group, base)}),
        latest as (
            select day, events, sum(events) over (order by day desc) - events as later
            from days
        )
        select min(day)::varchar as first, max(day)::varchar as last, sum(events)::integer as events
        from latest where later < ${events}`);
    if (!row || row.first === null) return undefined;
    return { from: String(row.first), to: String(row.last), events: Number(row.events) };
}

function isSampled({ dated, dateColumn, keys }: EventGroup, base: string, { from, to }: Sample): string {
    return `exists (
        select 1 from ${base}.sources.${quoteName(dated.name)} as event
        where ${joinOn(keys, "source", "event")}
            and event.${quoteName(dateColumn)}::date between ${quoteText(from)} and ${quoteText(to)}
    )`;
}

import { quoteName } from "../../names.ts";
import type { SourceColumn } from "../../project/project.ts";
import { type ClockedSource, outcomeColumns } from "./clocks.ts";
import { donorKey, eventTable } from "./events.ts";
import { isKnownBefore, joinOn, type World, writtenBefore } from "./world.ts";

/**
 * The source with the outcomes of other events in place of its own, from the day on: whole rows of outcomes, so that
 * what belongs together stays together. An event larger than its donor leaves rows without outcomes, and some have no
 * donor at all; events that had not been run get outcomes.
 */
export function replaceOutcomes(clocked: ClockedSource, world: World): string {
    return clocked.source.known === "after" ? transplantRows(clocked, world) : replaceColumns(clocked, world);
}

function replaceColumns(clocked: ClockedSource, world: World): string {
    const { source, group } = clocked;
    const outcomes = outcomeColumns(source);
    const names = new Set(outcomes.map(({ name }) => name));
    const columns = source.columns.map((column) => {
        const name = quoteName(column.name);
        if (column.version) return `${writtenBefore(name)} as ${name}`;
        if (!names.has(column.name)) return `source.${name}`;
        return `${replacedValue(column)} as ${name}`;
    });
    const settled = outcomes
        .filter(({ knownBeforeValues }) => knownBeforeValues.length > 0)
        .map((column) => isKnownBefore(column, "source"));
    const list = source.columns.map(({ name }) => quoteName(name)).join(", ");
    const keys = group.keys.map(quoteName).join(", ");
    const rows = `${world.base}.sources.${quoteName(source.name)}`;
    const event = eventTable(group);
    const asDonor = group.keys.map((key, index) => `${donorKey(index)} as ${quoteName(key)}`).join(", ");
    const own = source.columns.map(({ name }) => `source.${quoteName(name)}`).join(", ");
    // Of a long history few events change or give: no more than these are numbered.
    return `
        with placed as (
            select *, row_number() over (partition by ${keys}, replay_settled order by hash(hash(${list}, ${world.seed}))) as replay_place,
            from (
                select *, coalesce(${settled.join(" or ") || "false"}, false) as replay_settled
                from ${rows} as source
                semi join (
                    select ${keys} from ${event} where replay_action = 'replace'
                    union all
                    select ${asDonor} from ${event} where replay_action = 'replace'
                ) using (${keys})
            )
        )
        select ${columns.join(",\n")}
        from placed as source
        inner join ${event} as event on ${joinOn(group.keys, "source", "event")} and event.replay_action = 'replace'
        left join (from placed where not replay_settled) as donor
            on case when not source.replay_settled then source.replay_place end = donor.replay_place
            and ${group.keys.map((key, index) => `donor.${quoteName(key)} = event.${donorKey(index)}`).join(" and ")}
        union all
        select ${own}
        from ${rows} as source
        left join ${event} as event on ${joinOn(group.keys, "source", "event")}
        where coalesce(event.replay_action, '${world.only ? "keep" : "drop"}') = 'keep'`;
}

function replacedValue(column: SourceColumn): string {
    const name = quoteName(column.name);
    return column.knownBeforeValues.length === 0
        ? `donor.${name}`
        : `case when ${isKnownBefore(column, "source")} then source.${name} else donor.${name} end`;
}

/** Rows of an outcome-only table come over from the donor, under the keys of the event that takes them. */
function transplantRows({ source, group }: ClockedSource, world: World): string {
    const table = `${world.base}.sources.${quoteName(source.name)}`;
    const event = eventTable(group);
    const own = new Set(group.dated === source ? [...group.keys, group.dateColumn] : group.keys);
    const columns = source.columns.map(({ name }) =>
        own.has(name)
            ? `${group.keys.includes(name) ? "event" : "source"}.${quoteName(name)}`
            : `donor.${quoteName(name)}`,
    );
    // Only a table that dates itself has a date of its own to be kept.
    const dated =
        group.dated === source
            ? `inner join ${table} as source on ${joinOn(group.keys, "source", "event")}`
            : "";
    return `
        select source.*
        from ${table} as source
        ${world.only ? "left" : "inner"} join ${event} as event on ${joinOn(group.keys, "source", "event")}
        where coalesce(event.replay_action, 'keep') = 'keep'
        union all
        select ${columns.join(", ")}
        from ${table} as donor
        inner join ${event} as event
            on ${group.keys.map((key, index) => `donor.${quoteName(key)} = event.${donorKey(index)}`).join(" and ")}
        ${dated}
        where event.replay_action = 'replace'`;
}

import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { clockedSources, type EventGroup } from "./clocks.ts";
import type { World } from "./world.ts";

/** Schema of the replay's own tables, in its scratch database. */
const schema = "replay";

export function eventTable(group: EventGroup): string {
    return `${schema}.${group.table}`;
}

/** A donor's key in the table of events. */
export function donorKey(index: number): string {
    return `replay_donor_${index + 1}`;
}

/**
 * Some of the events that a perturbation may touch, by their number in the order of days: from `from` up to, and
 * without, `to`. For a search of the one that leaked.
 */
export interface EventRange {
    readonly table: string;
    readonly from: number;
    readonly to: number;
}

/** One in this many events whose outcomes are replaced is left without any, as if it had been abandoned. */
const abandonedOneIn = 8;

/** Later events that keep replaced outcomes, as a share of all; those after them are gone. */
export const keptShare = 0.05;

/**
 * For every group a table of its events: their keys, `replay_day`, `replay_number` (from the day replayed on; 0
 * before), `replay_action` (keep, clear, drop, replace), and the keys of a donor whose outcomes it takes. An event that
 * stands on several days belongs to the latest: it has not been decided before.
 */
export async function createEvents(scratch: Warehouse, world: World): Promise<void> {
    const { sources, base, day, perturbation, seed } = world;
    const groups = new Set(clockedSources(sources).map(({ group }) => group));
    await scratch.execute(`create schema ${schema}`);
    for (const group of groups) {
        const keys = group.keys.map(quoteName);
        const list = keys.join(", ");
        const last = perturbation === "replaced" ? await lastKeptDay(scratch, world, group) : day;
        const alike = (group.dated.alike ?? []).map(
            (name, index) => `max(${quoteName(name)}) as replay_alike_${index}`,
        );
        const partition =
            alike.length > 0
                ? `partition by ${alike.map((_, index) => `replay_alike_${index}`).join(", ")}`
                : "";
        const samePartition = alike.map(
            (_, index) =>
                `and numbered.replay_alike_${index} is not distinct from donors.replay_alike_${index}`,
        );
        const donors = keys.map((key, index) => `donors.${key} as ${donorKey(index)}`);
        await scratch.execute(`
            create table ${eventTable(group)} as
            with events as (
                ${datedEvents(group, base, alike)}
            ),
            placed as (
                select
                    *,
                    row_number() over (${partition} order by hash(hash(${list}, ${seed})), ${list}) as replay_place,
                    row_number() over (${partition} order by hash(hash(${list}, ${seed + 1})), ${list}) as replay_donor_place,
                from events
            ),
            numbered as (
                select *, row_number() over (order by replay_day, replay_place, ${list}) as replay_number
                from placed where replay_day >= ${quoteText(day)}
                union all
                select *, 0 from placed where replay_day < ${quoteText(day)}
            )
            select
                ${keys.map((key) => `numbered.${key}`).join(", ")},
                numbered.replay_day,
                numbered.replay_number,
                case
                    when numbered.replay_number = 0 or not (${isTouched(world, group)}) then 'keep'
                    ${actionCases(world, last)}
                end as replay_action,
                ${donors.join(", ")}
            from numbered
            left join placed as donors
                on ${perturbation === "replaced" ? donorPlace(seed) : "null"} = donors.replay_place
                ${samePartition.join(" ")}`);
    }
}

/**
 * SQL: the place of an event's donor, if it has one: who would be its own keeps nothing. One expression, since a
 * condition on one side of an outer join is no hash join, and takes the square of the events.
 */
function donorPlace(seed: number): string {
    return `
        case
            when numbered.replay_number > 0
                and numbered.replay_donor_place <> numbered.replay_place
                and hash(hash(numbered.replay_place, ${seed})) % ${abandonedOneIn} > 0
            then numbered.replay_donor_place
        end`;
}

function isTouched({ only }: World, group: EventGroup): string {
    if (!only) return "true";
    if (only.table !== group.table) return "false";
    return `numbered.replay_number >= ${only.from} and numbered.replay_number < ${only.to}`;
}

function actionCases({ day, perturbation }: World, last: string): string {
    switch (perturbation) {
        case "removed":
            return "else 'clear'";
        case "replaced":
            return `when numbered.replay_day <= ${quoteText(last)} then 'replace' else 'drop'`;
        default:
            return `when numbered.replay_day = ${quoteText(day)} then 'clear' else 'drop'`;
    }
}

/**
 * SQL: the events of the full build by their keys, with `replay_day` and more columns. An event that stands on several
 * days belongs to the latest, one without a day is to come.
 */
export function datedEvents(
    { dated, dateColumn, keys }: EventGroup,
    base: string,
    more: readonly string[] = [],
): string {
    const names = keys.map(quoteName);
    return `
        select ${[...names, ...more].join(", ")}, coalesce(max(${quoteName(dateColumn)})::date, 'infinity'::date) as replay_day
        from ${base}.sources.${quoteName(dated.name)}
        where ${names.map((name) => `${name} is not null`).join(" and ")}
        group by ${names.join(", ")}`;
}

/** SQL: one row per day, and how many events it has; of the full build in a scratch database, with its catalog. */
export function eventDays({ dated, dateColumn }: EventGroup, base?: string): string {
    const date = `${quoteName(dateColumn)}::date`;
    return `
        select ${date} as day, count(*) as events
        from ${base === undefined ? "" : `${base}.`}sources.${quoteName(dated.name)}
        where isfinite(${date})
        group by all`;
}

/** At least the next day with an event. */
async function lastKeptDay(scratch: Warehouse, { base, day }: World, group: EventGroup): Promise<string> {
    const [row] = await scratch.rows(`
        with days as (${eventDays(group, base)}),
        counted as (
            select day, sum(events) over (order by day) - events as before, sum(events) over () as total
            from days where day > ${quoteText(day)}
        )
        select coalesce(max(day) filter (where before <= ${keptShare} * total), ${quoteText(day)}::date) as day
        from counted`);
    return String(row!.day);
}

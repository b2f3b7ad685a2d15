import { quoteName } from "../../names.ts";
import type { SourceColumn } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { type ClockedSource, clockedSources, outcomeColumns } from "./clocks.ts";
import { createEvents, eventTable } from "./events.ts";
import { reorder } from "./reorder.ts";
import { replaceOutcomes } from "./replace-outcomes.ts";
import { setClock } from "./set-clock.ts";
import { isKnownBefore, joinOn, type World, writtenBefore } from "./world.ts";

/** Makes `sources.<name>` in the scratch database for every source: views where nothing has to be computed. */
export async function createWorld(scratch: Warehouse, world: World): Promise<void> {
    const { sources, base, perturbation } = world;
    if (!world.isClockKept) await setClock(scratch, world.day);
    await scratch.execute("create schema if not exists sources");
    await createEvents(scratch, world);
    const clocked = new Map(clockedSources(sources).map((one) => [one.source.name, one]));
    for (const source of sources) {
        const relation = `sources.${quoteName(source.name)}`;
        const dated = clocked.get(source.name);
        const query = dated ? perturbedRows(dated, world) : `select * from ${base}.${relation}`;
        if (perturbation === "reordered") {
            await scratch.execute(`create table ${relation} as ${reorder(source, query, world.seed)}`);
        } else {
            const kind = perturbation === "replaced" && dated ? "table" : "view";
            await scratch.execute(`create ${kind} ${relation} as ${query}`);
        }
    }
}

/** A row without an event is dated by none: it counts as one to come. */
const undated = (world: World) => (world.only ? "keep" : world.perturbation === "removed" ? "clear" : "drop");

function perturbedRows(clocked: ClockedSource, world: World): string {
    const { source, group } = clocked;
    if (world.perturbation === "replaced") return replaceOutcomes(clocked, world);
    const action = `coalesce(event.replay_action, '${undated(world)}')`;
    const outcomes = new Set(outcomeColumns(source).map(({ name }) => name));
    const columns = source.columns.map((column) => {
        const name = quoteName(column.name);
        if (column.version)
            return `case when ${action} = 'keep' then source.${name} else ${writtenBefore(name)} end as ${name}`;
        if (!outcomes.has(column.name)) return `source.${name}`;
        return `case when ${action} = 'keep' ${knownBefore(column)} then source.${name} end as ${name}`;
    });
    const kept = source.known === "after" ? "= 'keep'" : "<> 'drop'";
    return `
        select ${columns.join(",\n")}
        from ${world.base}.sources.${quoteName(source.name)} as source
        left join ${eventTable(group)} as event on ${joinOn(group.keys, "source", "event")}
        where ${action} ${kept}`;
}

function knownBefore(column: SourceColumn): string {
    return column.knownBeforeValues.length === 0 ? "" : `or ${isKnownBefore(column, "source")}`;
}

import type { Source, SourceColumn } from "../../project/project.ts";

/** Events that date rows: the rows of `dated` by their keys. */
export interface EventGroup {
    /** Schema-less name of the table in which the replay keeps them. */
    readonly table: string;
    readonly dated: Source;
    readonly dateColumn: string;
    /** Columns that lead from a row to its event, in every source of the group. */
    readonly keys: readonly string[];
}

/** A source whose rows belong to events. */
export interface ClockedSource {
    readonly source: Source;
    readonly group: EventGroup;
}

/** The sources that have a clock, or are one; the others hold no events, and are left as they are. */
export function clockedSources(sources: readonly Source[]): readonly ClockedSource[] {
    const groups = new Map<string, EventGroup>();
    const groupOf = (dated: Source, dateColumn: string, keys: readonly string[]): EventGroup => {
        const id = JSON.stringify([dated.name, dateColumn, keys]);
        const known = groups.get(id);
        if (known) return known;
        const group = { table: `events_${groups.size + 1}`, dated, dateColumn, keys };
        groups.set(id, group);
        return group;
    };
    const clocks = new Map(
        sources.flatMap(({ clock }) => (clock?.source === undefined ? [] : [[clock.source, clock] as const])),
    );
    return sources.flatMap((source): readonly ClockedSource[] => {
        const { clock } = source;
        if (clock?.source !== undefined) {
            const dated = sources.find(({ name }) => name === clock.source)!;
            return [{ source, group: groupOf(dated, clock.column, clock.on ?? []) }];
        }
        const dateColumn = clock?.column ?? clocks.get(source.name)?.column;
        if (dateColumn === undefined) return [];
        // Without a key of its rows, a day is one event.
        const keys = source.primaryKey.length > 0 ? source.primaryKey : [dateColumn];
        return [{ source, group: groupOf(source, dateColumn, keys) }];
    });
}

/** Columns known only after the event; of an outcome-only table none, since its rows go as a whole. */
export function outcomeColumns(source: Source): readonly SourceColumn[] {
    return source.known === "after" ? [] : source.columns.filter(({ known }) => known === "after");
}

export function hasOutcomes(source: Source): boolean {
    return source.known === "after" || outcomeColumns(source).length > 0;
}

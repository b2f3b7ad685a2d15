import type { Source, SourceColumn } from "../../project/project.ts";
import { clockedSources, type EventGroup } from "../replay/clocks.ts";
import type { Origin } from "./flows.ts";
import type { Frame } from "./touch-events.ts";

/** Source columns that are changed together, in one build. */
export interface Probe {
    readonly source: Source;
    /** Empty: the rows themselves are taken out, for what depends on their presence alone. */
    readonly columns: readonly SourceColumn[];
    readonly origin: Origin;
}

export interface Skipped {
    readonly name: string;
    readonly why: string;
}

/**
 * What can be changed by itself. Columns whose names differ in figures only (`position_200m`, `position_400m`) are one
 * probe: they say the same of several places. What identifies or dates a row is left alone: changed, it is another row.
 */
export function listProbes(
    sources: readonly Source[],
    { grain, event }: Pick<Frame, "grain" | "event">,
): { readonly probes: readonly Probe[]; readonly skipped: readonly Skipped[] } {
    const groups = new Map(clockedSources(sources).map(({ source, group }) => [source.name, group]));
    const probes: Probe[] = [];
    const skipped: Skipped[] = [];
    for (const source of sources) {
        const group = groups.get(source.name);
        if (!leadsToEvent(group, event)) {
            skipped.push({ name: `${source.name}.*`, why: `its rows belong to no ${event}` });
            continue;
        }
        const keys = new Set([...source.primaryKey, ...(group?.keys ?? []), ...grain]);
        const sets = new Map<string, SourceColumn[]>();
        for (const column of source.columns) {
            const name = `${source.name}.${column.name}`;
            if (column.surrogate || column.version) skipped.push({ name, why: "means nothing by itself" });
            else if (keys.has(column.name)) skipped.push({ name, why: "identifies a row" });
            else if (group?.dated === source && group.dateColumn === column.name)
                skipped.push({ name, why: "dates the event" });
            else {
                const set = `${column.type} ${isOutcome(source, column)} ${pattern(column.name)}`;
                sets.set(set, [...(sets.get(set) ?? []), column]);
            }
        }
        // Rows that are outcomes as a whole: that they are there may tell.
        if (source.known === "after")
            probes.push({ source, columns: [], origin: { name: `${source.name}.*`, isOutcome: true } });
        for (const columns of sets.values()) {
            const [first] = columns;
            const name = columns.length > 1 ? pattern(first!.name) : first!.name;
            probes.push({
                source,
                columns,
                origin: {
                    name: `${source.name}.${name}`,
                    isOutcome: isOutcome(source, first!),
                    ...(first!.tier !== undefined && { tier: first!.tier }),
                },
            });
        }
    }
    return { probes, skipped };
}

function leadsToEvent(group: EventGroup | undefined, event: string): boolean {
    return group?.keys.length === 1 && group.keys[0] === event;
}

function isOutcome(source: Source, column: SourceColumn): boolean {
    return source.known === "after" || column.known === "after";
}

function pattern(name: string): string {
    return name.replace(/\d+/g, "*");
}

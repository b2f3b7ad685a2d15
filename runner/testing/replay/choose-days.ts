import { createHash } from "node:crypto";
import { quoteName } from "../../names.ts";
import type { Source } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { clockedSources, hasOutcomes, outcomeColumns } from "./clocks.ts";
import { isKnownBefore } from "./world.ts";

export interface ChosenDay {
    /** ISO. */
    readonly day: string;
    readonly why: "first" | "last" | "busiest" | "drawn" | "named" | "unseen";
}

/**
 * Days with outcomes: the first, the last, the one with most rows (the earliest of several), and others drawn over the
 * rows of the history, one from each of equal parts. Early places of a part are likelier (the fourth power of an
 * even draw): a day's replay costs the history before it, and a leak of a day's own results shows on any of them.
 */
export async function chooseDays(
    warehouse: Warehouse,
    sources: readonly Source[],
    { days, seed }: { readonly days: number; readonly seed: number },
): Promise<readonly ChosenDay[]> {
    const history = await readHistory(warehouse, sources);
    const [first, last] = [history[0], history.at(-1)];
    if (!first || !last) return [];
    const busiest = history.reduce((most, one) => (one.rows > most.rows ? one : most));
    const chosen = new Map<string, ChosenDay["why"]>();
    const add = (day: string, why: ChosenDay["why"]) => {
        if (!chosen.has(day)) chosen.set(day, why);
    };
    add(last.day, "last");
    if (days > 1) add(first.day, "first");
    if (days > 2) add(busiest.day, "busiest");
    let total = 0;
    const reached = history.map(({ rows }) => {
        total += rows;
        return total;
    });
    const left = Math.min(days, history.length) - chosen.size;
    const places = Array.from(
        { length: left },
        (_, part) => ((part + fraction(seed, part)) / left) ** 4 * total,
    );
    for (const place of places) {
        const at = reached.findIndex((rows) => rows > place);
        const free = [...history.slice(at), ...history.slice(0, at).reverse()].find(
            ({ day }) => !chosen.has(day),
        );
        if (free) add(free.day, "drawn");
    }
    return [...chosen]
        .map(([day, why]) => ({ day, why }))
        .sort((one, other) => (one.day < other.day ? -1 : 1));
}

/** Evenly from 0 up to 1, the same for the same seed on every machine. */
function fraction(seed: number, part: number): number {
    return createHash("sha256").update(`${seed} ${part}`).digest().readUInt32BE(0) / 2 ** 32;
}

interface HistoryDay {
    readonly day: string;
    readonly rows: number;
}

/** Days with outcomes, in order, and how many rows have one. */
async function readHistory(warehouse: Warehouse, sources: readonly Source[]): Promise<readonly HistoryDay[]> {
    const queries = clockedSources(sources)
        .filter(({ source }) => hasOutcomes(source))
        .map(({ source, group }) => {
            const outcomes = outcomeColumns(source).map((column) => {
                const isKnown = `source.${quoteName(column.name)} is not null`;
                return column.knownBeforeValues.length === 0
                    ? isKnown
                    : `(${isKnown} and not ${isKnownBefore(column, "source")})`;
            });
            const own = group.dated === source;
            const date = `${own ? "source" : "dated"}.${quoteName(group.dateColumn)}::date`;
            const joined = own
                ? ""
                : `inner join sources.${quoteName(group.dated.name)} as dated using (${group.keys.map(quoteName).join(", ")})`;
            return `
                select ${date} as day, count(*) as rows
                from sources.${quoteName(source.name)} as source ${joined}
                where isfinite(${date}) and (${outcomes.join(" or ") || "true"})
                group by all`;
        });
    if (queries.length === 0) return [];
    const rows = await warehouse.rows(`
        select day::varchar as day, sum(rows) as rows from (${queries.join(" union all ")})
        group by day order by day`);
    return rows.map(({ day, rows }) => ({ day: String(day), rows: Number(rows) }));
}

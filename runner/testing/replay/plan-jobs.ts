import { quoteText } from "../../names.ts";
import type { Source } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { clockedSources } from "./clocks.ts";
import { eventDays, keptShare } from "./events.ts";
import type { PlannedReplay } from "./plan-audit.ts";

/** Replays that are done one after the other, on the whole history, or on one slice of it. */
export interface AuditJob {
    readonly day: string;
    readonly replays: readonly PlannedReplay[];
    readonly isSliced: boolean;
    /** Events of the worlds that are built for it, about. */
    readonly events: number;
}

/**
 * What a slice takes to make, and a replay on it, in events for each of its size: it holds single rows of others beside
 * its events, and many small models take their time whatever their rows. Where a day's replays on the whole history
 * take no more, they are done on it, and compared with the very build that is published.
 */
const [making, replaying] = [3, 4];

/**
 * What of a plan is replayed on the whole history, and what on slices of it; the jobs that take longest first. With
 * `slice` undefined, all is whole.
 */
export async function planJobs(
    warehouse: Warehouse,
    sources: readonly Source[],
    plan: readonly PlannedReplay[],
    slice: number | undefined,
): Promise<readonly AuditJob[]> {
    if (plan.length === 0) return [];
    const sizes = await worldSizes(warehouse, sources, [...new Set(plan.map(({ day }) => day))]);
    const eventsOf = ({ day, perturbation }: PlannedReplay): number => {
        const { upTo, all } = sizes.get(day)!;
        if (perturbation === "removed") return all;
        return perturbation === "replaced" ? Math.min(all, upTo + keptShare * all) : upTo;
    };
    /** By what its replays take longer on the whole history than on a slice that there is, a day needs one. */
    const excess = new Map<string, number>();
    if (slice !== undefined)
        for (const replay of plan) {
            const more = Math.max(0, eventsOf(replay) - replaying * slice);
            excess.set(replay.day, (excess.get(replay.day) ?? 0) + more);
        }
    const jobs = new Map<string, AuditJob>();
    for (const replay of plan) {
        const { day, perturbation } = replay;
        const isSliced =
            slice !== undefined && excess.get(day)! > making * slice && eventsOf(replay) > replaying * slice;
        const id = isSliced ? day : `${day} ${perturbation}`;
        const earlier = jobs.get(id) ?? { day, replays: [], isSliced, events: isSliced ? making * slice : 0 };
        jobs.set(id, {
            ...earlier,
            replays: [...earlier.replays, replay],
            events: earlier.events + (isSliced ? replaying * slice : eventsOf(replay)),
        });
    }
    return [...jobs.values()].sort((one, other) => other.events - one.events);
}

interface WorldSize {
    /** Events up to and including the day. */
    readonly upTo: number;
    /** Those with a day. */
    readonly all: number;
}

async function worldSizes(
    warehouse: Warehouse,
    sources: readonly Source[],
    days: readonly string[],
): Promise<ReadonlyMap<string, WorldSize>> {
    const groups = new Set(clockedSources(sources).map(({ group }) => group));
    const counted = [...groups].map((group) => eventDays(group));
    const upTo = days.map((day, index) => `sum(events) filter (day <= ${quoteText(day)}) as day_${index},`);
    const [row] = await warehouse.rows(`
        select ${upTo.join(" ")} sum(events) as "all"
        from (${counted.map((query) => `(${query})`).join(" union all ")})`);
    return new Map(
        days.map((day, index) => [day, { upTo: Number(row![`day_${index}`]), all: Number(row!.all) }]),
    );
}

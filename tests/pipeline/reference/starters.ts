import { barrierPosition, classRating, condition, distanceRange, type Graded } from "./card.ts";
import { known, timingsOf } from "./passings.ts";
import type { Place, RaceRow, ResultRow, SourceRows } from "./source-rows.ts";

/** A declared runner that was not scratched, with what came of it where its race has been run. */
export interface Starter {
    readonly race: RaceRow;
    readonly place: Place;
    readonly day: number;
    readonly horseSlug: string;
    /** horse_location_slug, and the same for jockey and trainer. */
    readonly horse: string;
    readonly jockey: string | null;
    readonly trainer: string | null;
    readonly declared: ResultRow;
    readonly totalRunners: number;
    readonly distanceRange: string | null;
    readonly barrierPosition: string | null;
    readonly condition: Graded;
    readonly classRating: Graded;
    readonly winOdds: number | null;
    readonly hasRun: boolean;
    readonly position: number | null;
    readonly isWin: boolean;
    readonly isPlace: boolean;
    readonly margin: number | null;
    readonly seconds: number | null;
    readonly position800: number | null;
    readonly position400: number | null;
    readonly settlePct: number | null;
}

/** All starters, in the order in which they ran: date, race number, race_id, horse_slug. */
export function startersOf(source: SourceRows): readonly Starter[] {
    const results = groupBy(latestRows(source.results), ({ raceId }) => raceId);
    const sectionals = groupBy(source.sectionals, ({ raceId }) => raceId);
    const starters = source.races.flatMap((race) => {
        const rows = (results.get(race.raceId) ?? []).filter((row) => !isScratched(row));
        const timing = timingsOf(race, sectionals.get(race.raceId) ?? []);
        const hasRun = rows.some(({ position }) => known(position) !== null);
        const totalRunners = rows.length;
        return rows.map((declared): Starter => {
            const at = source.places.get(race.raceId)!;
            const position = known(declared.position);
            const own = (slug: string | null) => slug && `${slug}-${at.location}`;
            const { position800, position400, seconds } = timing(declared);
            return {
                race,
                place: at,
                day: race.day,
                horseSlug: declared.horseSlug,
                horse: own(declared.horseSlug)!,
                jockey: own(declared.jockeySlug),
                trainer: own(declared.trainerSlug),
                declared,
                totalRunners,
                distanceRange: distanceRange(race.metres),
                barrierPosition: barrierPosition(declared.barrier, totalRunners),
                condition: condition(race, at),
                classRating: classRating(race, at),
                winOdds: declared.winOdds !== null && declared.winOdds > 1 ? declared.winOdds : null,
                hasRun,
                position,
                isWin: position === 1,
                isPlace: position !== null && position <= 3,
                margin: position === null ? null : declared.margin,
                seconds: position === null ? null : seconds,
                position800,
                position400,
                settlePct:
                    position800 === null || totalRunners < 2 ? null : (position800 - 1) / (totalRunners - 1),
            };
        });
    });
    return starters.sort(byRunningOrder);
}

/** A race without a number comes after the others of the day, as descending NULLs come first in Postgres. */
const unnumbered = 32_768;

function byRunningOrder(one: Starter, other: Starter): number {
    return (
        one.day - other.day ||
        (one.race.raceNumber ?? unnumbered) - (other.race.raceNumber ?? unnumbered) ||
        one.race.raceId - other.race.raceId ||
        (one.horseSlug < other.horseSlug ? -1 : 1)
    );
}

/** Of several rows of a horse in a race the later written, else the one with the higher id. */
function latestRows(rows: readonly ResultRow[]): readonly ResultRow[] {
    const latest = new Map<string, ResultRow>();
    for (const row of rows) {
        const key = `${row.raceId} ${row.horseSlug}`;
        const other = latest.get(key);
        const written = (row.updatedAt ?? 0) - (other?.updatedAt ?? 0);
        if (!other || written > 0 || (written === 0 && row.id > other.id)) latest.set(key, row);
    }
    return [...latest.values()];
}

function isScratched({ finishStatus }: ResultRow): boolean {
    return /^(LATE[_ -])?SCRATCHED$/i.test(finishStatus ?? "");
}

export function groupBy<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
    const groups = new Map<Key, Row[]>();
    for (const row of rows) {
        const key = keyOf(row);
        const group = groups.get(key);
        if (group) group.push(row);
        else groups.set(key, [row]);
    }
    return groups;
}

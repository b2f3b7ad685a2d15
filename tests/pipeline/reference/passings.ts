import type { RaceRow, ResultRow, SectionalRow } from "./source-rows.ts";

export interface Timing {
    readonly position800: number | null;
    readonly position400: number | null;
    readonly seconds: number | null;
}

/** Sectional times of one race, to be asked for each of its runners. */
export function timingsOf(race: RaceRow, rows: readonly SectionalRow[]): (runner: ResultRow) => Timing {
    return (runner) => {
        const row = rows.find((candidate) => belongsTo(candidate, runner));
        return {
            position800: toGo(race, 800, row, runner.position800),
            position400: toGo(race, 400, row, runner.position400),
            seconds: row?.finishSeconds || null,
        };
    };
}

/** By saddlecloth; by name where either has none. */
function belongsTo(row: SectionalRow, runner: ResultRow): boolean {
    if (row.horseNumber !== null && runner.horseNumber !== null)
        return row.horseNumber === runner.horseNumber;
    return normalize(row.horseName) === normalize(runner.horseName);
}

/** The checkpoint of the distance covered, rounded down, never a neighbour; else what the results say. */
function toGo(
    race: RaceRow,
    metres: number,
    row: SectionalRow | undefined,
    ofResults: number | null,
): number | null {
    if (race.metres === null) return known(ofResults);
    const covered = race.metres - metres;
    if (covered <= 0) return null;
    const checkpoint = Math.floor(covered / 200);
    const rank = checkpoint >= 1 ? row?.ranks[checkpoint - 1] : null;
    return known(rank) ?? known(ofResults);
}

/** As of places: 0, and 50 and more, are none. */
export function known(place: number | null | undefined): number | null {
    return place !== null && place !== undefined && place >= 1 && place < 50 ? place : null;
}

const entities: Readonly<Record<string, string>> = {
    amp: "&",
    apos: "'",
    quot: '"',
    lt: "<",
    gt: ">",
    nbsp: " ",
};

function normalize(name: string | null): string {
    return (name ?? "")
        .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
        .replace(/&(\w+);/g, (whole, entity) => entities[entity] ?? whole)
        .toLowerCase()
        .replace(/[^a-z0-9]/g, "");
}

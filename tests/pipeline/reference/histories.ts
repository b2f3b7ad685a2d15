import type { Value } from "./source-rows.ts";
import { groupBy, type Starter } from "./starters.ts";

/** Starts of everybody, to be asked for those before a day. */
export class Histories {
    private readonly starts: ReadonlyMap<string, readonly Starter[]>;

    /** Groups starters of races that have been run, which come in running order; those without a key are left out. */
    constructor(starters: readonly Starter[], keyOf: (starter: Starter) => string | null) {
        const known = starters.filter((starter) => starter.hasRun && keyOf(starter) !== null);
        this.starts = groupBy(known, (starter) => keyOf(starter)!);
    }

    before(key: string | null, day: number): readonly Starter[] {
        const starts = (key !== null && this.starts.get(key)) || [];
        return starts.slice(0, firstOf(starts, day));
    }
}

/** Index of the first start on the day or later. */
function firstOf(starts: readonly Starter[], day: number): number {
    let from = 0;
    let to = starts.length;
    while (from < to) {
        const middle = (from + to) >> 1;
        if (starts[middle]!.day < day) from = middle + 1;
        else to = middle;
    }
    return from;
}

export function mean(values: readonly (number | null)[]): number | null {
    let sum = 0;
    let known = 0;
    for (const value of values) {
        if (value === null) continue;
        sum += value;
        known += 1;
    }
    return known === 0 ? null : sum / known;
}

export function count<Row>(rows: readonly Row[], test: (row: Row) => boolean): number {
    let passed = 0;
    for (const row of rows) if (test(row)) passed += 1;
    return passed;
}

export function winRate(starts: readonly Starter[]): number | null {
    return starts.length === 0 ? null : count(starts, ({ isWin }) => isWin) / starts.length;
}

export function placeRate(starts: readonly Starter[]): number | null {
    return starts.length === 0 ? null : count(starts, ({ isPlace }) => isPlace) / starts.length;
}

/** Starts of the days from `day - days` to the day before `day`. */
export function within(starts: readonly Starter[], day: number, days: number): readonly Starter[] {
    return starts.slice(firstOf(starts, day - days));
}

/** Mean place of the latest finishes. */
export function averagePosition(starts: readonly Starter[], finishes: number): number | null {
    const positions: number[] = [];
    for (let at = starts.length - 1; at >= 0 && positions.length < finishes; at--) {
        const { position } = starts[at]!;
        if (position !== null) positions.push(position);
    }
    return mean(positions);
}

/** Columns of jockeys and trainers, which differ in name only. */
export function personColumns(
    starts: readonly Starter[],
    day: number,
    names: { readonly person: string; readonly total: string; readonly latest: readonly number[] },
): Record<string, Value> {
    const { person, total, latest } = names;
    const columns: Record<string, Value> = {
        [total]: starts.length,
        [`${person}_win_rate`]: winRate(starts),
        [`${person}_place_rate`]: placeRate(starts),
    };
    for (const days of [30, 90, 365]) {
        const recent = within(starts, day, days);
        columns[`${person}_win_rate_${days}d`] = winRate(recent);
        columns[total.includes("rides") ? `${person}_rides_${days}d` : `${person}_runners_${days}d`] =
            recent.length;
    }
    for (const finishes of latest)
        columns[`${person}_avg_position_${finishes}`] = averagePosition(starts, finishes);
    return columns;
}

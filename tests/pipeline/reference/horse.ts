import { count, mean, placeRate, winRate, within } from "./histories.ts";
import type { Value } from "./source-rows.ts";
import type { Starter } from "./starters.ts";

export function careerColumns(starts: readonly Starter[], day: number): Record<string, Value> {
    const latest = starts.at(-1);
    const gaps = starts.slice(1).map((start, index) => start.day - starts[index]!.day);
    const wins = count(starts, ({ isWin }) => isWin);
    const places = count(starts, ({ isPlace }) => isPlace);
    return {
        total_races: starts.length,
        wins,
        places,
        win_percentage: starts.length ? (100 * wins) / starts.length : null,
        place_percentage: starts.length ? (100 * places) / starts.length : null,
        is_first_timer: starts.length === 0,
        never_placed_flag: starts.length > 0 && places === 0,
        days_since_last_race: latest ? day - latest.day : null,
        avg_days_between_runs: mean(gaps),
        runs_last_60_days: within(starts, day, 60).length,
        runs_last_90_days: within(starts, day, 90).length,
    };
}

export function formColumns(starts: readonly Starter[]): Record<string, Value> {
    const five = starts.slice(-5);
    const weights = five.map((_, index) => 5 - (five.length - 1 - index));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
        last_position: starts.at(-1)?.position ?? null,
        last_margin: starts.at(-1)?.margin ?? null,
        last_5_avg_position: mean(five.map(({ position }) => position)),
        last_5_win_rate: winRate(five),
        last_5_place_rate: placeRate(five),
        form_momentum:
            five.length === 0
                ? null
                : sum(five.map(({ isPlace }, index) => (isPlace ? weights[index]! : 0))) / sum(weights),
    };
}

export function suitabilityColumns(
    starts: readonly Starter[],
    { place, distanceRange }: Starter,
): Record<string, Value> {
    const atTrack = starts.filter((start) => start.place.trackSlug === place.trackSlug);
    const atDistance = starts.filter(
        (start) => distanceRange !== null && start.distanceRange === distanceRange,
    );
    return {
        races_at_track: atTrack.length,
        track_win_rate: winRate(atTrack),
        track_place_rate: placeRate(atTrack),
        races_at_distance: atDistance.length,
        distance_win_rate: winRate(atDistance),
    };
}

export function styleColumns(starts: readonly Starter[]): Record<string, Value> {
    const settled = starts.map(({ settlePct }) => settlePct).filter((value) => value !== null);
    const settles = mean(settled.slice(-10));
    return {
        avg_early_position_800m: mean(starts.map(({ position800 }) => position800)),
        avg_mid_position_400m: mean(starts.map(({ position400 }) => position400)),
        known_settle_runs: settled.length,
        expected_settle_pct: settles,
        last_settle_pct: settled.at(-1) ?? null,
        running_style: settled.length < 2 ? "unknown" : styleOf(settles!),
    };
}

/** A mean of shares that is 0.15 exactly may come out a little above it. */
function styleOf(settlePct: number): string {
    const upTo = (limit: number) => settlePct <= limit + 1e-9;
    if (upTo(0.15)) return "leader";
    if (upTo(0.4)) return "stalker";
    return upTo(0.7) ? "midfield" : "closer";
}

export function classColumns(
    starts: readonly Starter[],
    { classRating: { value } }: Starter,
): Record<string, Value> {
    const before = starts.at(-1)?.classRating.value ?? null;
    const change = value === null || before === null ? null : value - before;
    return {
        class_rating: value,
        prev_class_rating: before,
        class_change: change,
        class_drop: change === null ? null : Math.max(0, -change),
        class_rise: change === null ? null : Math.max(0, change),
    };
}

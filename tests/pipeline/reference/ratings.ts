import { groupBy, type Starter } from "./starters.ts";

export interface RatingSettings {
    readonly first: number;
    readonly transfer: number;
    readonly k: number;
    readonly boost: number;
    readonly boostRaces: number;
    readonly marginScale: number;
    readonly marginCap: number;
}

export interface RatingBefore {
    readonly rating: number;
    readonly races: number;
}

interface State {
    readonly rating: number;
    /** Races that could change it. */
    readonly races: number;
    readonly lastStart: number;
}

export interface HorseRatings {
    /** Of every starter on the morning of its race. */
    readonly before: ReadonlyMap<Starter, RatingBefore>;
    /** After the latest day, by horse. */
    readonly latest: (starter: Starter) => number;
}

/** Ratings pair by pair, a day at a time. */
export function horseRatings(starters: readonly Starter[], settings: RatingSettings): HorseRatings {
    const before = new Map<Starter, RatingBefore>();
    // By horse_slug, then by location.
    const states = new Map<string, Map<string, State>>();
    let sequence = 0;
    for (const today of groupBy(starters, ({ day }) => day).values()) {
        for (const starter of today) before.set(starter, morningOf(states, starter, settings));
        const ran = today.filter(({ hasRun }) => hasRun);
        const evening = new Map<Starter, { change: number; isRated: boolean }>();
        for (const race of groupBy(ran, (starter) => starter.race).values()) {
            const finishers = race.filter(({ position }) => position !== null);
            for (const starter of race) {
                const isRated = starter.position !== null && finishers.length > 1;
                const change = isRated ? changeOf(starter, finishers, before, settings) : 0;
                evening.set(starter, { change, isRated });
            }
        }
        for (const [horse, starts] of groupBy(ran, ({ horse }) => horse)) {
            const { horseSlug, place } = starts[0]!;
            const { rating, races } = before.get(starts[0]!)!;
            const after = starts.map((start) => evening.get(start)!);
            const places = states.get(horseSlug) ?? new Map<string, State>();
            states.set(horseSlug, places);
            if (horse !== `${horseSlug}-${place.location}`) throw new Error(horse);
            places.set(place.location, {
                rating: after.reduce((sum, { change }) => sum + change, rating),
                races: races + after.filter(({ isRated }) => isRated).length,
                lastStart: sequence++,
            });
        }
    }
    return {
        before,
        latest: ({ horseSlug, place }) => states.get(horseSlug)!.get(place.location)!.rating,
    };
}

function morningOf(
    states: ReadonlyMap<string, ReadonlyMap<string, State>>,
    { horseSlug, place }: Starter,
    { first, transfer }: RatingSettings,
): RatingBefore {
    const places = states.get(horseSlug);
    const own = places?.get(place.location);
    if (own) return own;
    const elsewhere = [...(places?.values() ?? [])].sort((one, other) => one.lastStart - other.lastStart);
    const latest = elsewhere.at(-1);
    return { rating: latest ? first + transfer * (latest.rating - first) : first, races: 0 };
}

function changeOf(
    starter: Starter,
    finishers: readonly Starter[],
    before: ReadonlyMap<Starter, RatingBefore>,
    { k, boost, boostRaces, marginScale, marginCap }: RatingSettings,
): number {
    const own = before.get(starter)!;
    let sum = 0;
    for (const opponent of finishers) {
        if (opponent === starter) continue;
        const expected = 1 / (1 + 10 ** ((before.get(opponent)!.rating - own.rating) / 400));
        sum += scoreOf(starter, opponent, marginScale, marginCap) - expected;
    }
    return ((k * (1 + boost * Math.exp(-own.races / boostRaces))) / (finishers.length - 1)) * sum;
}

/** A logistic of the difference in lengths; by places where a margin is unknown or says otherwise than they do. */
function scoreOf(one: Starter, other: Starter, scale: number, cap: number): number {
    const byPlace = 0.5 + 0.5 * Math.sign(other.position! - one.position!);
    const [ahead, behind] = [one, other].map((starter) => lengthsOf(starter, cap));
    if (scale <= 0 || byPlace === 0.5 || ahead === null || behind === null) return byPlace;
    const lengths = behind! - ahead!;
    return lengths * (byPlace - 0.5) < 0 ? byPlace : 1 / (1 + Math.exp(-lengths / scale));
}

/** Behind the winner, whose margin is 0 whether or not it is delivered. */
function lengthsOf({ position, margin }: Starter, cap: number): number | null {
    if (position === 1) return 0;
    return margin === null ? null : Math.min(Math.max(margin, 0), cap);
}

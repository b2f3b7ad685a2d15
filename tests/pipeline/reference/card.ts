import type { Place, RaceRow } from "./source-rows.ts";

export function distanceRange(metres: number | null): string | null {
    if (metres === null) return null;
    if (metres <= 1300) return "sprint";
    if (metres <= 1899) return "mile";
    return metres <= 2199 ? "middle" : "staying";
}

/** In whole numbers, so that a third is a third. */
export function barrierPosition(barrier: number | null, totalRunners: number): string | null {
    if (barrier === null || totalRunners < 2) return null;
    const gates = totalRunners - 1;
    if (3 * (barrier - 1) <= gates) return "inner";
    return 3 * (barrier - 1) <= 2 * gates ? "middle" : "outer";
}

const hongKongGoing: Readonly<Record<string, number>> = {
    "GOOD TO FIRM": 2.5,
    GOOD: 3.5,
    "GOOD TO YIELDING": 5,
    YIELDING: 6,
    "YIELDING TO SOFT": 7,
    SOFT: 8,
    HEAVY: 9.5,
};

export interface Graded {
    readonly value: number | null;
    /** False where only the seed can tell: then the value is the pipeline's own. */
    readonly isOwn: boolean;
}

/** 1 to 10: synthetic NULL, a number counts, Hong Kong's words for turf are given. */
export function condition({ trackCondition }: RaceRow, place: Place): Graded {
    if (trackCondition === null || place.surface === "synthetic") return { value: null, isOwn: true };
    const words = trackCondition.toUpperCase();
    const numbered = /^(?:FIRM|GOOD|SOFT|HEAVY) ?(\d{1,2})$/.exec(words);
    if (numbered) return { value: Number(numbered[1]), isOwn: true };
    const known = place.location === "HK" ? hongKongGoing[words] : undefined;
    return known === undefined ? { value: place.condition, isOwn: false } : { value: known, isOwn: true };
}

const classes: Readonly<Record<string, readonly number[]>> = {
    HK: [107, 90, 70, 50, 30],
    AU: [56, 58, 62, 62, 68, 70],
};

/** One scale for all countries, of the texts that dataset.md names. */
export function classRating({ raceClass }: RaceRow, place: Place): Graded {
    if (raceClass === null) return { value: null, isOwn: true };
    const words = raceClass.toUpperCase();
    const own = (value: number) => ({ value, isOwn: true });
    const group = /^(?:GROUP |G)([123])\b/.exec(words);
    if (group) return own(120 - 5 * Number(group[1]));
    if (/^LISTED\b/.test(words)) return own(100);
    if (/^(?:[23]YO )?(?:MAIDEN|MDN)\b/.test(words)) return own(50);
    const benchmark = /^(?:BM|BENCHMARK) ?(\d{2,3})\b/.exec(words);
    if (benchmark) return own(Number(benchmark[1]));
    const rating = place.location === "NZ" && /^(?:R|RATING )(\d{2,3})\b/.exec(words);
    if (rating) return own(Number(rating[1]));
    const band = place.location === "HK" && /^CLASS \d \((\d+)-(\d+)\)$/.exec(words);
    if (band) return own((Number(band[1]) + Number(band[2])) / 2);
    const step = /^(?:CLASS|CL) (\d)\b/.exec(words);
    const fixed = step && classes[place.location]?.[Number(step[1]) - 1];
    return fixed ? own(fixed) : { value: place.classRating, isOwn: false };
}

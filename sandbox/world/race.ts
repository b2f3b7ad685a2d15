import type { Horse, Person } from "./population.ts";
import type { Track } from "./tracks.ts";

type FinishStatus =
    | "FINISHED"
    | "DNF"
    | "FELL"
    | "PULLED_UP"
    | "UNSEATED"
    | "DSQ"
    | "SCRATCHED"
    | "LATE_SCRATCHED";

/** A passing point: metres from the start, rounded down to a step of 200, and what was measured there. */
export interface Passing {
    readonly metres: number;
    readonly toGo: number;
}

export interface Runner {
    readonly horse: Horse;
    number: string;
    barrier: number | undefined;
    /** Kilograms times ten. */
    weight: number;
    jockey: Person | undefined;
    /** Strength without the luck of the day. */
    strength: number;
    odds: number | undefined;
    status: FinishStatus | undefined;
    /** As published: NULL or a sentinel for who did not finish. */
    position: number | undefined;
    /** Lengths behind the winner. */
    margin: number | undefined;
    prize: number | undefined;
    /** Hundredths of seconds. */
    finishTime: number | undefined;
    position800: number | undefined;
    position400: number | undefined;
    /** By the race's passings; undefined where it was not timed. */
    passingRanks: (number | undefined)[];
    /** Hundredths of seconds from the start, by the race's passings. */
    passingTimes: (number | undefined)[];
    isTimed: boolean;
}

export interface Race {
    readonly id: number;
    /** Days since 1970-01-01. */
    readonly day: number;
    readonly number: number;
    readonly track: Track;
    readonly trackName: string;
    readonly surface: "Turf" | "Synthetic" | "Dirt";
    /** Metres; what really is run, even where the row does not tell. */
    readonly metres: number;
    readonly tellsDistance: boolean;
    readonly className: string | undefined;
    /** 0 firm to 1 heavy. */
    readonly wetness: number;
    readonly going: string | undefined;
    readonly weather: string | undefined;
    readonly rail: string | undefined;
    readonly prizeMoney: number;
    readonly fate: "run" | "upcoming" | "abandoned";
    readonly passings: readonly Passing[];
    readonly runners: Runner[];
}

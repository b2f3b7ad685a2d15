import { planMeetings, spanOf, toDay } from "./calendar.ts";
import { holdMeeting } from "./meeting.ts";
import { Population } from "./population.ts";
import type { Race } from "./race.ts";
import { Random } from "./random.ts";

export interface WorldSettings {
    readonly seed: number;
    /** Past and upcoming together. */
    readonly races: number;
    /** The first day of the week to come, as `2026-11-23`. History ends the day before. */
    readonly today: string;
}

/** A world of racing, meeting by meeting in order of date. The same settings give the same world. */
export function* simulateWorld({ seed, races, today }: WorldSettings): Generator<readonly Race[]> {
    const random = new Random(seed);
    const day = toDay(today);
    const span = spanOf(races);
    const population = new Population(random, {
        startsPerYear: (races * 10.5 * 365.25) / (span + 7),
        firstDay: day - span,
    });
    let raceId = 1;
    for (const { isUpcoming, ...meeting } of planMeetings(random, { races, today: day })) {
        const held = holdMeeting(random, population, {
            ...meeting,
            firstRaceId: raceId,
            fate: isUpcoming ? "upcoming" : random.chance(0.004) ? "abandoned" : "run",
        });
        raceId += meeting.races;
        yield held;
    }
}

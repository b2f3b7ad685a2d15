import { remember } from "./aftermath.ts";
import { conduct } from "./conduct.ts";
import { drawRoster, dress } from "./dress.ts";
import { drawFields, fieldSize } from "./fields.ts";
import { priceRunners } from "./market.ts";
import { type Horse, mean, type Population, toAge } from "./population.ts";
import type { Passing, Race, Runner } from "./race.ts";
import type { Random } from "./random.ts";
import type { Country, Track } from "./tracks.ts";
import { classText, goingText, railText, weatherText } from "./wording.ts";

export interface MeetingPlan {
    readonly day: number;
    readonly track: Track;
    readonly races: number;
    readonly firstRaceId: number;
    readonly fate: Race["fate"];
}

/** One meeting: fields are drawn, dressed, priced and, unless they are still to come, run. */
export function holdMeeting(random: Random, population: Population, plan: MeetingPlan): readonly Race[] {
    const { track, day } = plan;
    const region = population.regions.get(track.country)!;
    const surface = random.pick(track.surfaces);
    const wetness = Math.min(0.999, Math.max(0, random.normal(0.38, 0.17)));
    const conditions = {
        surface,
        wetness,
        going: goingText(random, track.country, surface, wetness),
        weather: weatherText(random, wetness),
        rail: railText(random, track.country),
        trackName: random.chance(0.88) ? track.names[0]! : random.pick(track.names),
    };
    const roster = drawRoster(random, population, region, day);
    const sizes = Array.from({ length: plan.races }, () => fieldSize(random, track.country));
    const fields = drawFields(random, population, region, plan, sizes);
    return fields.map((field, index) => {
        const race = drawRace(random, { plan, conditions, field, index });
        dress(random, race, roster);
        priceRunners(random, race);
        if (race.fate === "run") {
            conduct(random, race);
            remember(random, population, region, race);
        }
        return race;
    });
}

interface Conditions {
    readonly surface: Race["surface"];
    readonly wetness: number;
    readonly going: string | undefined;
    readonly weather: string | undefined;
    readonly rail: string | undefined;
    readonly trackName: string;
}

function drawRace(
    random: Random,
    context: {
        readonly plan: MeetingPlan;
        readonly conditions: Conditions;
        readonly field: readonly Horse[];
        readonly index: number;
    },
): Race {
    const { plan, conditions, field, index } = context;
    const { track, day } = plan;
    const level = mean(field.map(({ estimate }) => estimate));
    const isMaiden = field.every(({ wins }) => wins === 0) && track.country !== "HK";
    const isFeature = track.grade === 3 && level > 1.15 && !isMaiden && random.chance(0.45);
    const wantedMetres =
        mean(field.map(({ bestDistance }) => bestDistance)) * Math.exp(random.normal(0, 0.1));
    const metres = nearest(track.distances, wantedMetres);
    const base = {
        AU: 30_000,
        NZ: 18_000,
        HK: 900_000,
        UK: 40_000,
        IE: 30_000,
        FR: 40_000,
        JP: 9_000_000,
        AE: 120_000,
        US: 60_000,
    };
    return {
        id: plan.firstRaceId + index,
        day,
        number: index + 1,
        track,
        ...conditions,
        metres,
        tellsDistance: !random.chance(0.002),
        className: classText(random, {
            track,
            level,
            isMaiden,
            isFeature,
            oldest: Math.max(...field.map((horse) => toAge(horse, day))),
            allFemale: field.every(({ isFemale }) => isFemale),
        }),
        prizeMoney:
            Math.round(
                (base[track.country] *
                    track.grade *
                    Math.exp(0.5 * Math.max(-1, level)) *
                    (isFeature ? 6 : 1)) /
                    1000,
            ) * 1000,
        fate: plan.fate === "run" && random.chance(0.002) ? "abandoned" : plan.fate,
        passings: passingsOf(track.country, metres),
        runners: field.map((horse) => declare(horse)),
    };
}

function declare(horse: Horse): Runner {
    return {
        horse,
        number: "",
        barrier: undefined,
        weight: 0,
        jockey: undefined,
        strength: 0,
        odds: undefined,
        status: undefined,
        position: undefined,
        margin: undefined,
        prize: undefined,
        finishTime: undefined,
        position800: undefined,
        position400: undefined,
        passingRanks: [],
        passingTimes: [],
        isTimed: true,
    };
}

/** Sections end at multiples of 200 m from home, in Hong Kong of 400 m, where the finish is not told. */
function passingsOf(country: Country, metres: number): readonly Passing[] {
    const step = country === "HK" ? 400 : 200;
    const passings: Passing[] = [];
    for (let toGo = country === "HK" ? step : 0; toGo < metres; toGo += step) {
        const column = Math.floor((metres - toGo) / 200) * 200;
        // A finish between two steps would take the column of the step before.
        const isTaken = toGo === 0 && column !== metres;
        if (column >= 200 && column <= 3000 && !isTaken) passings.unshift({ metres: column, toGo });
    }
    return passings;
}

function nearest(distances: readonly number[], wanted: number): number {
    return distances.reduce((best, metres) =>
        Math.abs(metres - wanted) < Math.abs(best - wanted) ? metres : best,
    );
}

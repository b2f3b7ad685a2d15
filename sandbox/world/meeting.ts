import { conduct, isStarter } from "./conduct.ts";
import { priceRunners } from "./market.ts";
import { type Horse, type Person, type Population, type Region, toAge } from "./population.ts";
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

/** Where visitors come from. Elsewhere they come from anywhere. */
const neighbours: Partial<Record<Country, readonly Country[]>> = { AU: ["NZ"], NZ: ["AU"], HK: ["AU", "NZ"] };

/** One meeting: fields are drawn, dressed, priced and, unless they are still to come, run. */
export function holdMeeting(random: Random, population: Population, plan: MeetingPlan): readonly Race[] {
    const { track, day } = plan;
    const region = population.regions.get(track.country)!;
    const surface = random.pick(track.surfaces);
    const wetness = Math.min(0.999, Math.max(0, random.normal(0.33, 0.22)));
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
        const race = drawRace(random, { plan, region, conditions, field, index });
        dress(random, race, roster);
        priceRunners(random, race);
        if (race.fate === "run") {
            conduct(random, race);
            remember(random, population, region, race);
        }
        return race;
    });
}

function fieldSize(random: Random, country: Country): number {
    if (random.chance(0.012)) return random.between(2, 4);
    const [mean, most] = country === "HK" ? [12.3, 14] : country === "AU" ? [10.6, 18] : [10.2, 16];
    return Math.min(most, Math.max(5, Math.round(random.normal(mean, 2.5))));
}

/** Runners of like standing and like distance meet; maidens among themselves, by age. */
function drawFields(
    random: Random,
    population: Population,
    region: Region,
    { day }: MeetingPlan,
    sizes: readonly number[],
): readonly (readonly Horse[])[] {
    const wanted = sizes.reduce((sum, size) => sum + size, 0);
    const entries = drawEntries(random, population, region, day, wanted);
    const maidens = entries
        .filter(({ wins }) => wins === 0)
        .sort((one, other) => other.birthDay - one.birthDay);
    const winners = entries
        .filter(({ wins }) => wins > 0)
        .sort((one, other) => other.estimate - one.estimate);
    // Three races deep: within that band they sort themselves by distance, now and then by sex.
    const perBand = 3 * Math.round(wanted / sizes.length);
    const sorted: Horse[] = [];
    for (let start = 0; start < winners.length; start += perBand) {
        const bySex = random.chance(0.15);
        sorted.push(
            ...winners
                .slice(start, start + perBand)
                .sort((one, other) =>
                    bySex && one.isFemale !== other.isFemale
                        ? Number(one.isFemale) - Number(other.isFemale)
                        : one.bestDistance - other.bestDistance,
                ),
        );
    }
    const all = [...sorted, ...maidens];
    // In a small world not enough horses are ready now and then: then all fields are smaller.
    const scarcity = Math.min(1, all.length / wanted);
    const fields: Horse[][] = [];
    let taken = 0;
    let upTo = 0;
    for (const size of sizes) {
        upTo += size * scarcity;
        fields.push(all.slice(taken, Math.round(upTo)));
        taken = Math.round(upTo);
    }
    return random.shuffle(fields);
}

function drawEntries(
    random: Random,
    population: Population,
    region: Region,
    day: number,
    wanted: number,
): Horse[] {
    const entries = new Set<Horse>();
    const from = neighbours[region.country] ?? [...population.regions.keys()];
    for (let draw = 0; entries.size < wanted && draw < wanted * 12; draw++) {
        const isVisit = random.chance(neighbours[region.country] ? 0.015 : 0.3);
        const home = isVisit ? population.regions.get(random.pick(from))! : region;
        const horse = random.pick(home.horses);
        if (horse.readyDay > day || (home !== region && horse.barsFromTravel)) continue;
        entries.add(horse);
        horse.readyDay = day + 9 + random.integer(20);
    }
    return [...entries];
}

/** A jockey rides at one meeting of a day; the busy ones get more days. */
function drawRoster(random: Random, population: Population, region: Region, day: number): Person[] {
    const roster: Person[] = [];
    for (let draw = 0; roster.length < 20 && draw < 200; draw++) {
        const jockey = population.pickByDemand(region.jockeys);
        if (jockey.busyOn === day) continue;
        jockey.busyOn = day;
        roster.push(jockey);
    }
    return random.shuffle(roster);
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
        readonly region: Region;
        readonly conditions: Conditions;
        readonly field: readonly Horse[];
        readonly index: number;
    },
): Race {
    const { plan, conditions, field, index } = context;
    const { track, day } = plan;
    const level = mean(field.map(({ estimate }) => estimate));
    const isMaiden = field.every(({ wins }) => wins === 0) && track.country !== "HK";
    const isFeature = track.grade === 3 && level > 1.3 && !isMaiden && random.chance(0.5);
    const wantedMetres =
        mean(field.map(({ bestDistance }) => bestDistance)) * Math.exp(random.normal(0, 0.07));
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
                    Math.exp(0.35 * Math.max(-1, level)) *
                    (isFeature ? 6 : 1)) /
                    1000,
            ) * 1000,
        fate: plan.fate,
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

/** Numbers by weight, weights by the handicapper, gates by lot, jockeys, and who stays at home after all. */
function dress(random: Random, race: Race, roster: readonly Person[]): void {
    const { runners } = race;
    runners.sort((one, other) => other.horse.estimate - one.horse.estimate);
    const top = runners[0]!.horse.estimate;
    const gates = random.shuffle(runners.map((_, index) => index + 1));
    const free = new Set(roster);
    const isCoupled = race.track.country === "US" || random.chance(0.003);
    runners.forEach((runner, index) => {
        const { horse } = runner;
        const down = Math.min(7, (top - horse.estimate) * 2.2);
        runner.number = isCoupled && index === 1 ? "1A" : String(index + 1);
        runner.weight = Math.round((60.5 - down - (horse.isFemale ? 1 : 0)) * 2) * 5;
        runner.barrier = random.chance(0.003) ? undefined : gates[index];
        runner.jockey = chooseJockey(random, horse, free, roster);
        free.delete(runner.jockey);
        runner.strength = strengthOf(race, runner);
        if (random.chance(0.05)) runner.status = random.chance(0.7) ? "SCRATCHED" : "LATE_SCRATCHED";
    });
    const starters = runners.filter(isStarter);
    // Somebody has to run.
    if (starters.length === 0) runners[0]!.status = undefined;
}

/** The one who knows the horse, else the stable's, else the best that a few calls find. */
function chooseJockey(
    random: Random,
    horse: Horse,
    free: ReadonlySet<Person>,
    roster: readonly Person[],
): Person {
    if (horse.lastJockey && free.has(horse.lastJockey) && random.chance(0.6)) return horse.lastJockey;
    const { stableJockey } = horse.trainer;
    if (free.has(stableJockey) && random.chance(0.5)) return stableJockey;
    const choice = [...free];
    let best = choice.length > 0 ? random.pick(choice) : random.pick(roster);
    for (let call = 0; call < 2 && choice.length > 0; call++) {
        const other = random.pick(choice);
        if (other.skill > best.skill && random.chance(0.7)) best = other;
    }
    return best;
}

/** What really decides, luck and pace apart. */
function strengthOf(race: Race, { horse, jockey, barrier, weight }: Runner): number {
    const age = toAge(horse, race.day);
    const fromPeak = age - horse.peakAge;
    const ageLoss = fromPeak < 0 ? 0.16 * fromPeak ** 2 : 0.07 * fromPeak ** 2;
    const distance = Math.log(race.metres / horse.bestDistance);
    const gate = ((barrier ?? 6) - 1) / Math.max(1, race.runners.length - 1) - 0.5;
    return (
        horse.ability -
        ageLoss +
        horse.form +
        horse.trainer.skill +
        (jockey?.skill ?? 0) -
        6 * distance ** 2 +
        horse.wetLiking * 2.2 * (race.wetness - 0.35) -
        race.track.barrierBias * gate * (race.metres < 1500 ? 1.2 : 0.8) -
        0.07 * (weight / 10 - 57) -
        // The first run after a rest is short of one.
        (horse.runsSinceSpell === 0 ? 0.15 : 0)
    );
}

/** What the run leaves behind: experience, the public's opinion, a rest, the end of a career. */
function remember(random: Random, population: Population, region: Region, race: Race): void {
    for (const { horse, jockey, position, margin, status } of race.runners) {
        if (status === "SCRATCHED" || status === "LATE_SCRATCHED") continue;
        horse.starts += 1;
        horse.runsSinceSpell += 1;
        horse.lastJockey = jockey;
        if (status === "FINISHED") {
            if (position === 1) horse.wins += 1;
            const shown = horse.trainer.skill * 0.3 + levelOf(race) + 1.1 - (margin ?? 0) * 0.26;
            const gain = Math.max(0.12, 0.5 / Math.sqrt(horse.starts));
            horse.estimate += gain * (shown - horse.estimate);
        }
        horse.form = horse.form * 0.75 + random.normal(0, 0.25);
        if (horse.runsSinceSpell > 3 && random.chance(0.3)) {
            horse.runsSinceSpell = 0;
            horse.readyDay = race.day + 60 + random.integer(100);
            if (random.chance(0.06)) horse.trainer = population.pickTrainer(region);
            if (region.country !== "HK" && random.chance(0.012)) emigrate(random, population, region, horse);
        }
        if (horse.starts >= horse.careerStarts || toAge(horse, race.day) > 10)
            retire(population, race, horse);
    }
}

function levelOf(race: Race): number {
    return mean(race.runners.map(({ horse }) => horse.estimate));
}

/** For good to Hong Kong: another trainer, the same name, a history elsewhere. */
function emigrate(random: Random, population: Population, region: Region, horse: Horse): void {
    const index = region.horses.indexOf(horse);
    if (index < 0 || horse.barsFromTravel) return;
    const to = population.regions.get("HK")!;
    population.replace(region, index, horse.readyDay);
    to.horses[random.integer(to.horses.length)] = horse;
    horse.trainer = population.pickTrainer(to);
    horse.lastJockey = undefined;
}

function retire(population: Population, race: Race, horse: Horse): void {
    for (const region of population.regions.values()) {
        const index = region.horses.indexOf(horse);
        if (index >= 0) population.replace(region, index, race.day);
    }
}

function nearest(distances: readonly number[], wanted: number): number {
    return distances.reduce((best, metres) =>
        Math.abs(metres - wanted) < Math.abs(best - wanted) ? metres : best,
    );
}

function mean(values: readonly number[]): number {
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

import { isStarter } from "./conduct.ts";
import { type Horse, type Person, type Population, type Region, toAge } from "./population.ts";
import type { Race, Runner } from "./race.ts";
import type { Random } from "./random.ts";

/** A jockey rides at one meeting of a day; the busy ones get more days. */
export function drawRoster(random: Random, population: Population, region: Region, day: number): Person[] {
    const roster: Person[] = [];
    for (let draw = 0; roster.length < 20 && draw < 200; draw++) {
        const jockey = population.pickByDemand(region.jockeys);
        if (jockey.busyOn === day) continue;
        jockey.busyOn = day;
        roster.push(jockey);
    }
    // Where so many meet on one day that nobody is left, some ride at two places.
    for (let draw = 0; roster.length < 18 && draw < 200; draw++) {
        const jockey = random.pick(region.jockeys);
        if (!roster.includes(jockey)) roster.push(jockey);
    }
    return random.shuffle(roster);
}

/** Numbers by weight, weights by the handicapper, gates by lot, jockeys, and who stays at home after all. */
export function dress(random: Random, race: Race, roster: readonly Person[]): void {
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
        runner.jockey = chooseJockey(random, horse, free);
        if (runner.jockey) free.delete(runner.jockey);
        runner.strength = strengthOf(race, runner);
        if (random.chance(0.05)) runner.status = random.chance(0.7) ? "SCRATCHED" : "LATE_SCRATCHED";
    });
    const starters = runners.filter(isStarter);
    // Somebody has to run.
    if (starters.length === 0) runners[0]!.status = undefined;
}

/** The one who knows the horse, else the stable's, else the best that a few calls find. */
function chooseJockey(random: Random, horse: Horse, free: ReadonlySet<Person>): Person | undefined {
    if (horse.lastJockey && free.has(horse.lastJockey) && random.chance(0.6)) return horse.lastJockey;
    const { stableJockey } = horse.trainer;
    if (free.has(stableJockey) && random.chance(0.5)) return stableJockey;
    const choice = [...free];
    if (choice.length === 0) return undefined;
    let best = random.pick(choice);
    for (let call = 0; call < 2; call++) {
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

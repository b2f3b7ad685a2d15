import { type Horse, mean, type Population, type Region, toAge } from "./population.ts";
import type { Race } from "./race.ts";
import type { Random } from "./random.ts";

/** What the run leaves behind: experience, the public's opinion, a rest, the end of a career. */
export function remember(random: Random, population: Population, region: Region, race: Race): void {
    const level = mean(race.runners.map(({ horse }) => horse.estimate));
    const usualMargin = mean(race.runners.flatMap(({ margin }) => margin ?? []));
    for (const { horse, jockey, position, margin, status } of race.runners) {
        if (status === "SCRATCHED" || status === "LATE_SCRATCHED") continue;
        horse.starts += 1;
        horse.runsSinceSpell += 1;
        horse.lastJockey = jockey;
        if (status === "FINISHED") {
            if (position === 1) horse.wins += 1;
            const shown = level + (usualMargin - (margin ?? 0)) * 0.34;
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

import { isStarter } from "./conduct.ts";
import type { Race } from "./race.ts";
import type { Random } from "./random.ts";

/** What of the true strength the public sees; the rest is what it believes by the form, and noise. */
const insight = 0.72;
const opinionNoise = 0.42;
/** Below 1 the favourites are backed too little and the outsiders too much, as everywhere. */
const conviction = 0.93;

/** Odds of a race: a noisy opinion of the strengths, with the bookmaker's share on top. */
export function priceRunners(random: Random, race: Race): void {
    const starters = race.runners.filter(isStarter);
    if (starters.length === 0) return;
    const opinions = starters.map(({ strength, horse }) =>
        Math.exp(
            conviction *
                (insight * strength + (1 - insight) * horse.estimate + random.normal(0, opinionNoise)),
        ),
    );
    const total = opinions.reduce((sum, opinion) => sum + opinion, 0);
    const overround = 1.14 + 0.008 * starters.length;
    const isWithout = random.chance(race.fate === "upcoming" ? 0.3 : 0.01);
    starters.forEach((runner, index) => {
        const price = total / (opinions[index]! * overround);
        if (isWithout || random.chance(0.004)) return;
        runner.odds = roundPrice(Math.min(501, Math.max(1.04, price)));
    });
}

/** The steps in which prices are offered. */
function roundPrice(price: number): number {
    const step = price < 4 ? 0.05 : price < 10 ? 0.5 : price < 20 ? 1 : price < 51 ? 5 : 10;
    return Math.max(1.04, Math.round(Math.round(price / step) * step * 100) / 100);
}

import type { Race, Runner } from "./race.ts";
import type { Random } from "./random.ts";

/** Lengths between two runners whose strengths of the day differ by one. */
const lengthsPerUnit = 1.9;
/** What the camera cannot tell apart. */
const deadHeatLengths = 0.005;
const secondsPerLength = 0.168;

/** Runs a race: orders, margins, times and places on the way, from strengths, styles and luck. */
export function conduct(random: Random, race: Race): void {
    const starters = race.runners.filter(isStarter);
    const finishers: { runner: Runner; day: number }[] = [];
    const pace = paceOf(starters);
    for (const runner of starters) {
        if (random.chance(0.008)) {
            stopRunner(random, runner);
            continue;
        }
        const day = runner.strength + paceEffect(runner, pace) + random.gumbel();
        finishers.push({ runner, day });
    }
    finishers.sort((one, other) => other.day - one.day);
    const best = finishers[0]?.day ?? 0;
    let placeAbove = 0;
    let lengthsAbove = Number.NEGATIVE_INFINITY;
    let marginAbove = 0;
    finishers.forEach(({ runner, day }, index) => {
        const lengths = lengthsPerUnit * (best - day) + 0.06 * (best - day) ** 2;
        // Nothing between them: they share the place, and the next one is skipped.
        const isDead = lengths - lengthsAbove < deadHeatLengths;
        placeAbove = isDead ? placeAbove : index + 1;
        marginAbove = isDead ? marginAbove : quantize(lengths);
        lengthsAbove = lengths;
        runner.position = placeAbove;
        runner.status = "FINISHED";
        runner.margin = marginAbove;
    });
    const order = finishers.map(({ runner }) => runner);
    payPrizes(race, order);
    timeRunners(random, race, order);
}

export function isStarter(runner: Runner): boolean {
    return runner.status !== "SCRATCHED" && runner.status !== "LATE_SCRATCHED";
}

/** How many want to lead: one alone has it easy, four wear each other out. */
function paceOf(starters: readonly Runner[]): number {
    return starters.filter(({ horse }) => horse.style < 0.2).length;
}

/** How the pace of this race suits the runner's style. */
function paceEffect({ horse }: Runner, leaders: number): number {
    if (horse.style < 0.2) return leaders === 1 ? 0.45 : leaders === 2 ? 0.15 : -0.1 * leaders;
    return (horse.style - 0.5) * 0.14 * (leaders - 2);
}

function stopRunner(random: Random, runner: Runner): void {
    runner.status = random.pick(["DNF", "FELL", "PULLED_UP", "UNSEATED", "DSQ"] as const);
    runner.position = random.pick([undefined, undefined, 99, 50 + random.integer(40)]);
}

/** Short distances are told in noses and heads, long ones in quarters. */
function quantize(lengths: number): number {
    if (lengths === 0) return 0;
    if (lengths < 0.05) return 0.05;
    const step = lengths < 1 ? 0.05 : lengths < 10 ? 0.25 : 0.5;
    return Math.round(Math.round(lengths / step) * step * 100) / 100;
}

function payPrizes(race: Race, order: readonly Runner[]): void {
    const shares = [0.55, 0.2, 0.1, 0.05, 0.03, 0.02, 0.02, 0.01];
    order.forEach((runner, index) => {
        runner.prize = Math.round(race.prizeMoney * (shares[index] ?? 0));
    });
}

function timeRunners(random: Random, race: Race, order: readonly Runner[]): void {
    const winner = order[0];
    if (winner === undefined) return;
    const time = winningTime(random, race, winner);
    // How far behind the leader each is early on, in lengths: its style, and its luck out of the gate.
    const early = order.map(({ horse, barrier }) =>
        Math.max(0, horse.style * 9 + (barrier ?? 6) * 0.08 + random.normal(0, 0.9)),
    );
    const final = order.map(({ margin }) => margin ?? 0);
    order.forEach((runner, index) => {
        runner.finishTime = Math.round((time + final[index]! * secondsPerLength) * 100);
    });
    const at = (toGo: number) => lagsAt(random, 1 - toGo / race.metres, early, final);
    const ranks800 = race.metres > 800 ? ranksOf(at(800)) : [];
    const ranks400 = race.metres > 400 ? ranksOf(at(400)) : [];
    race.passings.forEach(({ toGo }, passing) => {
        const isFinish = toGo === 0;
        const lags = isFinish ? final : at(toGo);
        const ranks = isFinish
            ? order.map(({ position }) => position!)
            : toGo === 800
              ? ranks800
              : toGo === 400
                ? ranks400
                : ranksOf(lags);
        // The first furlong is the slow one.
        const covered = (race.metres - toGo) / race.metres;
        const leader = time * (covered + 0.035 * Math.sin(Math.PI * covered) * (1200 / race.metres));
        order.forEach((runner, index) => {
            runner.passingRanks[passing] = ranks[index];
            runner.passingTimes[passing] = isFinish
                ? runner.finishTime
                : Math.round((leader + lags[index]! * secondsPerLength) * 100);
        });
    });
    for (const runner of race.runners) {
        if (runner.status !== "FINISHED" && isStarter(runner) && random.chance(0.5))
            timeStopped(race, runner, order);
    }
    order.forEach((runner, index) => {
        runner.position800 = ranks800[index];
        runner.position400 = ranks400[index];
    });
}

/** Who stopped in the second half was timed, last of all, in the first. */
function timeStopped(race: Race, runner: Runner, order: readonly Runner[]): void {
    race.passings.forEach(({ toGo }, passing) => {
        if (toGo < race.metres / 2) return;
        const times = order.map(({ passingTimes }) => passingTimes[passing] ?? 0);
        runner.passingRanks[passing] = order.length + 1;
        runner.passingTimes[passing] = Math.max(...times) + 20;
    });
}

/** From the early order to the final one, most of the change after half-way. The foremost has 0. */
function lagsAt(
    random: Random,
    covered: number,
    early: readonly number[],
    final: readonly number[],
): number[] {
    const turned = Math.min(1, Math.max(0, (covered - 0.25) / 0.75));
    const weight = turned * turned * (3 - 2 * turned);
    const unfolded = Math.min(1, covered / 0.3);
    const lags = early.map(
        (lag, index) => lag * unfolded * (1 - weight) + final[index]! * weight + random.unit() * 0.25,
    );
    const least = Math.min(...lags);
    return lags.map((lag) => lag - least);
}

function ranksOf(lags: readonly number[]): number[] {
    const order = lags.map((_, index) => index).sort((one, other) => lags[one]! - lags[other]!);
    const ranks = new Array<number>(lags.length);
    order.forEach((runner, index) => {
        ranks[runner] = index + 1;
    });
    return ranks;
}

/** Seconds. Better winners and drier ground are faster; dirt is a little, synthetic not. */
function winningTime(random: Random, race: Race, winner: Runner): number {
    const speed = 17.6 - 0.62 * Math.log2(race.metres / 1000) - 0.9 * race.wetness ** 2;
    const seconds = race.metres / (speed + (race.surface === "Dirt" ? 0.1 : 0));
    return seconds * (1 - 0.0035 * winner.strength) + random.normal(0, 0.006 * seconds) + 0.7;
}

import { BinaryRows } from "../load/binary-copy.ts";
import { checkpoints, sourceTables } from "../load/tables.ts";
import { isStarter } from "./conduct.ts";
import type { Race, Runner } from "./race.ts";
import type { Random } from "./random.ts";
import type { Country } from "./tracks.ts";

const secondsPerDay = 86_400;
const [raceColumns, resultColumns, sectionalColumns] = sourceTables.map(({ columns }) => columns.length) as [
    number,
    number,
    number,
];

/** Share of races with sectional times. */
const timedShares: Record<Country, number> = {
    AU: 0.55,
    NZ: 0.3,
    HK: 0.97,
    UK: 0.1,
    IE: 0.1,
    FR: 0.2,
    JP: 0.6,
    AE: 0.3,
    US: 0.5,
};

/** Turns races into rows of the three source tables, with all that is wrong with such rows. */
export class WorldRows {
    readonly races = new BinaryRows();
    readonly results = new BinaryRows();
    readonly sectionals = new BinaryRows();
    private readonly random: Random;
    private nextResultId = 1;

    constructor(random: Random) {
        this.random = random;
    }

    add(race: Race): void {
        this.addRace(race);
        const { random } = this;
        // As they arrive: in order of finish. Whoever breaks ties by the order of rows learns the winner.
        const arrived = [...race.runners].sort(
            (one, other) => (one.position ?? 1000) - (other.position ?? 1000),
        );
        if (random.chance(0.005)) random.pick(arrived).number = "";
        const knowsPositions = random.chance(0.45);
        for (const runner of arrived) this.addResults(race, runner, knowsPositions);
        if (race.fate === "run" && random.chance(timedShares[race.track.country]))
            this.addSectionals(race, arrived);
    }

    private addRace(race: Race): void {
        const { races, random } = this;
        races.row(raceColumns);
        races.int8(race.id);
        races.date(race.day);
        races.int2(race.number);
        races.text(race.trackName);
        races.int4(race.tellsDistance ? race.metres : undefined);
        races.text(race.className);
        races.text(random.chance(0.02) ? undefined : surfaceText(random, race));
        races.text(race.going);
        races.text(race.weather);
        races.text(race.rail);
        races.numeric(random.chance(0.01) ? undefined : race.prizeMoney, 0);
        races.timestamptz(updatedAt(race));
    }

    private addResults(race: Race, runner: Runner, knowsPositions: boolean): void {
        const { random } = this;
        // Corrected by the stewards: the earlier row was never taken away.
        if (race.fate === "run" && runner.status === "FINISHED" && random.chance(0.0004)) {
            const earlier = {
                ...runner,
                position: Math.min(race.runners.length, (runner.position ?? 1) + 1),
                margin: (runner.margin ?? 0) + 0.5,
            };
            this.addResult(race, earlier, knowsPositions, 0);
            // Now and then nothing but the higher id tells which one is right.
            this.addResult(race, runner, knowsPositions, random.chance(0.3) ? 0 : 2 * secondsPerDay);
            return;
        }
        this.addResult(race, runner, knowsPositions, 0);
        if (random.chance(0.001)) this.addResult(race, runner, knowsPositions, 0);
    }

    private addResult(race: Race, runner: Runner, knowsPositions: boolean, later: number): void {
        const { results } = this;
        const { horse, jockey } = runner;
        const isOut = !isStarter(runner);
        results.row(resultColumns);
        results.int8(this.nextResultId++);
        results.int8(race.id);
        results.text(horse.name);
        results.text(horse.slug);
        results.text(runner.number);
        results.int2(isOut && runner.status === "SCRATCHED" ? undefined : runner.barrier);
        results.numeric(runner.weight / 10, 1);
        results.int2(runner.position);
        results.text(runner.status);
        results.numeric(runner.margin, 2);
        results.text(isOut ? undefined : jockey?.name);
        results.text(isOut ? undefined : jockey?.slug);
        results.text(horse.trainer.name);
        results.text(horse.trainer.slug);
        results.numeric(runner.odds, 2);
        results.numeric(runner.prize, 0);
        results.int2(knowsPositions ? runner.position800 : undefined);
        results.int2(knowsPositions ? runner.position400 : undefined);
        results.timestamptz(updatedAt(race) + later);
    }

    private addSectionals(race: Race, arrived: readonly Runner[]): void {
        const { random } = this;
        const isPartial = random.chance(0.08);
        const lacksNumbers = random.chance(0.01);
        const lacksFirst = random.chance(0.03);
        const writesEntities = random.chance(0.8);
        // The passing that belongs to each pair of columns, -1 for none: once a race, not once a runner.
        const columns = checkpoints.map((metres) =>
            race.passings.findIndex((passing) => passing.metres === metres),
        );
        for (const runner of arrived) {
            if (runner.passingTimes.length === 0 || (isPartial && random.chance(0.25))) continue;
            const from = lacksFirst || (isPartial && random.chance(0.2)) ? 1 : 0;
            const number =
                runner.number === "" || lacksNumbers ? random.pick(["", undefined]) : runner.number;
            const name = writesEntities ? withEntities(runner.horse.name) : runner.horse.name.toUpperCase();
            const copies = random.chance(0.0006) ? 2 : 1;
            for (let copy = 0; copy < copies; copy++) {
                this.addSectional(runner, { raceId: race.id, number, name, columns, from });
            }
        }
    }

    private addSectional(
        runner: Runner,
        row: {
            readonly raceId: number;
            readonly number: string | undefined;
            readonly name: string;
            readonly columns: readonly number[];
            readonly from: number;
        },
    ): void {
        const { raceId, number, name, columns, from } = row;
        const { sectionals } = this;
        sectionals.row(sectionalColumns);
        sectionals.int8(raceId);
        sectionals.text(number);
        sectionals.text(name);
        for (const index of columns) {
            sectionals.int2(index < from ? undefined : runner.passingRanks[index]);
        }
        for (const index of columns) {
            sectionals.interval(index < from ? undefined : runner.passingTimes[index]);
        }
        for (const index of columns) {
            const time = index < from ? undefined : runner.passingTimes[index];
            const before = index === 0 ? 0 : runner.passingTimes[index - 1];
            sectionals.interval(time === undefined || before === undefined ? undefined : time - before);
        }
        sectionals.interval(runner.finishTime);
        sectionals.int2(runner.position);
    }
}

function surfaceText(random: Random, { surface, track }: Race): string {
    if (track.country === "HK" && surface === "Dirt") return "All Weather";
    return surface === "Synthetic" ? random.pick(["Synthetic", "Synthetic", "All Weather"]) : surface;
}

/** The evening of the day; for what is still to come, the entries of a week before. */
function updatedAt(race: Race): number {
    return (
        (race.fate === "upcoming" ? race.day - 7 : race.day) * secondsPerDay + 20 * 3600 + (race.id % 3600)
    );
}

function withEntities(name: string): string {
    return name.replaceAll("&", "&amp;").replaceAll("'", "&#39;");
}

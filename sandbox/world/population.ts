import { NameBook, toSlug } from "./names.ts";
import type { Random } from "./random.ts";
import { type Country, countryShares } from "./tracks.ts";

/** A jockey or a trainer. */
export interface Person {
    readonly name: string;
    readonly slug: string;
    /** Added to the strength of whom they ride or train. */
    readonly skill: number;
    /** How often they are chosen. */
    readonly demand: number;
    /** The last day with rides: nobody is at two meetings of a day. */
    busyOn: number;
}

export interface Trainer extends Person {
    readonly stableJockey: Person;
}

export interface Horse {
    readonly name: string;
    readonly slug: string;
    readonly birthDay: number;
    readonly isFemale: boolean;
    /** Strength at its peak, in the unit of the noise of a race. */
    readonly ability: number;
    readonly peakAge: number;
    /** 0 leads, 1 comes from the back. */
    readonly style: number;
    readonly bestDistance: number;
    /** Likes it wet (positive) or dry. */
    readonly wetLiking: number;
    readonly barsFromTravel: boolean;
    readonly careerStarts: number;
    trainer: Trainer;
    lastJockey: Person | undefined;
    /** What the handicapper and the public believe its strength to be. */
    estimate: number;
    /** Passing well-being. */
    form: number;
    starts: number;
    wins: number;
    runsSinceSpell: number;
    readyDay: number;
}

export interface Region {
    readonly country: Country;
    readonly horses: Horse[];
    readonly jockeys: readonly Person[];
    readonly trainers: readonly Trainer[];
}

const share = new Map(countryShares);
/** Share of horses outside Australia that bear the name of an Australian one. */
const namesakeShare = 0.02;

export class Population {
    readonly regions: ReadonlyMap<Country, Region>;
    private readonly random: Random;
    private readonly names: NameBook;
    private readonly horseNamesToShare: string[] = [];
    private readonly personNamesToShare: string[] = [];

    constructor(random: Random, options: { readonly startsPerYear: number; readonly firstDay: number }) {
        this.random = random;
        this.names = new NameBook(random);
        const regions = new Map<Country, Region>();
        for (const [country] of countryShares) {
            // Measured by the share of horses found ready on a day: fewer, and the fields run short.
            const count = Math.max(220, Math.round((options.startsPerYear * share.get(country)!) / 5));
            const jockeys = Array.from({ length: Math.max(40, Math.round(count / 28)) }, () =>
                this.makePerson(country, 0.3),
            );
            const trainers = Array.from({ length: Math.max(16, Math.round(count / 22)) }, () => ({
                ...this.makePerson(country, 0.3),
                stableJockey: random.pick(jockeys),
            }));
            const region: Region = { country, horses: [], jockeys, trainers };
            for (let index = 0; index < count; index++) {
                const age = 2 + random.unit() * 5;
                const horse = this.makeHorse(region, options.firstDay, age);
                // History begins somewhere: the older ones have won before it does.
                if (age > 3.2 && random.chance(0.75)) horse.wins = 1;
                region.horses.push(horse);
            }
            regions.set(country, region);
        }
        this.regions = regions;
    }

    /** A young horse takes the place of one that has run its last race. */
    replace(region: Region, index: number, day: number): void {
        region.horses[index] = this.makeHorse(region, day, 2 + this.random.unit() * 1.5);
    }

    pickTrainer(region: Region): Trainer {
        return this.pickByDemand(region.trainers);
    }

    /** The busiest of three: a few have most of the work. */
    pickByDemand<T extends Person>(people: readonly T[]): T {
        const { random } = this;
        let best = random.pick(people);
        for (let draw = 0; draw < 2; draw++) {
            const other = random.pick(people);
            if (other.demand > best.demand) best = other;
        }
        return best;
    }

    private makePerson(country: Country, deviation: number): Person {
        const { random } = this;
        const shares = country !== "AU" && random.chance(0.05) && this.personNamesToShare.length > 0;
        const name = shares ? this.personNamesToShare.pop()! : this.names.person();
        if (country === "AU" && random.chance(0.3)) this.personNamesToShare.push(name);
        const skill = random.normal(0, deviation);
        return { name, slug: toSlug(name), skill, demand: skill + random.normal(0, 0.25), busyOn: -1 };
    }

    private makeHorse(region: Region, day: number, age: number): Horse {
        const { random } = this;
        const { country } = region;
        const isNamesake =
            country !== "AU" && this.horseNamesToShare.length > 0 && random.chance(namesakeShare);
        const name = isNamesake ? this.horseNamesToShare.pop()! : this.names.horse();
        const lends = country === "AU" && random.chance(0.02);
        if (lends) this.horseNamesToShare.push(name);
        const trainer = this.pickTrainer(region);
        const ability = random.normal(0, 1.15);
        return {
            name,
            slug: toSlug(name),
            birthDay: day - Math.round(age * 365.25),
            isFemale: random.chance(0.42),
            ability,
            peakAge: random.normal(4.6, 0.6),
            style: Math.min(1, Math.max(0, random.normal(0.5, 0.3))),
            bestDistance: Math.min(3200, Math.max(950, Math.round(Math.exp(random.normal(7.25, 0.3))))),
            wetLiking: random.normal(0, 0.3),
            // Two of one name must never meet in one country.
            barsFromTravel: isNamesake || lends,
            careerStarts: 4 + Math.floor(-22 * Math.log(1 - random.unit() * 0.97)),
            trainer,
            lastJockey: undefined,
            estimate: ability * 0.35 + trainer.skill * 0.5 + random.normal(0, 0.4),
            form: random.normal(0, 0.3),
            starts: 0,
            wins: 0,
            runsSinceSpell: 0,
            readyDay: day - 20 + random.integer(60),
        };
    }
}

/** Years. */
export function toAge(horse: Horse, day: number): number {
    return (day - horse.birthDay) / 365.25;
}

export function mean(values: readonly number[]): number {
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

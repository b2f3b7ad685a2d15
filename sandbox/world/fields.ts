import type { Horse, Population, Region } from "./population.ts";
import type { Random } from "./random.ts";
import type { Country, Track } from "./tracks.ts";

/** Where visitors come from. Elsewhere they come from anywhere. */
const neighbours: Partial<Record<Country, readonly Country[]>> = { AU: ["NZ"], NZ: ["AU"], HK: ["AU", "NZ"] };

export function fieldSize(random: Random, country: Country): number {
    if (random.chance(0.012)) return random.between(2, 4);
    const [mean, most] = country === "HK" ? [12.3, 14] : country === "AU" ? [10.6, 18] : [10.2, 16];
    return Math.min(most, Math.max(5, Math.round(random.normal(mean, 2.5))));
}

/** Runners of like standing and like distance meet; maidens among themselves, by age. */
export function drawFields(
    random: Random,
    population: Population,
    region: Region,
    { day, track }: { readonly day: number; readonly track: Track },
    sizes: readonly number[],
): readonly (readonly Horse[])[] {
    const wanted = sizes.reduce((sum, size) => sum + size, 0);
    const entries = drawEntries(random, population, region, { day, track }, wanted);
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
    { day, track }: { readonly day: number; readonly track: Track },
    wanted: number,
): Horse[] {
    const entries = new Set<Horse>();
    const from = neighbours[region.country] ?? [...population.regions.keys()];
    for (let draw = 0; entries.size < wanted && draw < wanted * 12; draw++) {
        const isVisit = random.chance(neighbours[region.country] ? 0.015 : 0.3);
        const home = isVisit ? population.regions.get(random.pick(from))! : region;
        const horse = random.pick(home.horses);
        if (horse.readyDay > day || (home !== region && horse.barsFromTravel)) continue;
        if (!suits(horse, track) && random.chance(0.75)) continue;
        entries.add(horse);
        horse.readyDay = day + 9 + random.integer(20);
    }
    return [...entries];
}

/** The good ones go to the city, the others to the country. Hong Kong has one place for all. */
function suits({ estimate, wins }: Horse, { grade, country }: Track): boolean {
    if (country === "HK") return true;
    if (grade === 3) return estimate > (wins === 0 ? -0.2 : 0.5);
    return grade === 2 || estimate < 0.6;
}

import type { Random } from "./random.ts";
import type { Country, Track } from "./tracks.ts";

/** What the texts of a race are made from. */
export interface Occasion {
    readonly track: Track;
    /** Mean of what the handicapper believes of the runners: about -1.5 to 2. */
    readonly level: number;
    readonly isMaiden: boolean;
    readonly isFeature: boolean;
    readonly oldest: number;
    readonly allFemale: boolean;
}

/** Free text, as various as clubs write it. */
export function classText(random: Random, occasion: Occasion): string | undefined {
    if (random.chance(0.01)) return undefined;
    const { track, level, isMaiden, isFeature, oldest, allFemale } = occasion;
    const sexes = allFemale ? " Fillies & Mares" : "";
    if (isFeature) return featureText(random, level);
    if (track.country === "HK") return hongKongText(random, level, oldest);
    const age = oldest < 3 ? "2YO" : oldest < 4 ? "3YO" : "";
    if (isMaiden) {
        const text = random.pick(["Maiden Plate", "Maiden", "Mdn", "Maiden Hcp", "Maiden SW", "MAIDEN"]);
        return `${age && random.chance(0.7) ? `${age} ` : ""}${text}${allFemale ? " (F&M)" : ""}`;
    }
    if (age === "2YO") return allFemale ? "2YO Fillies Hcp" : random.pick(["2YO Hcp", "2yo Plate", "2YO SW"]);
    const rating = Math.max(50, Math.min(100, Math.round((54 + level * 18 + random.normal(0, 3)) / 2) * 2));
    switch (track.country) {
        case "AU":
            if (rating <= 58 && random.chance(0.3))
                return `${random.pick(["Class", "CL"])} ${random.between(1, 3)}`;
            if (rating <= 60 && random.chance(0.3)) return `Rest. ${rating}`;
            if (rating >= 88 && random.chance(0.4))
                return random.pick(["Open Hcp", "Open Handicap", "Quality"]);
            return `${random.pick(["BM", "BM", "BM ", "Benchmark ", "bm"])}${rating}${sexes}${random.chance(0.3) ? " Hcp" : ""}`;
        case "NZ":
            return `${random.pick(["R", "Rating ", "R"])}${rating}${random.chance(0.2) ? " Benchmark" : ""}`;
        case "US":
            return random.pick([
                "Allowance",
                "Claiming $25,000",
                "Starter Allowance",
                "Maiden Special Weight",
            ]);
        case "JP":
            return random.pick(["1 Win Class", "2 Wins Class", "Open"]);
        default:
            return random.pick(["Class 2 Handicap", "Class 4 Handicap", "Conditions Stakes", "Handicap"]);
    }
}

function featureText(random: Random, level: number): string {
    const score = level + random.normal(0, 0.3);
    if (score > 1.95) return random.pick(["Group 1", "G1", "GROUP 1", "Group 1 WFA"]);
    if (score > 1.7) return random.pick(["Group 2", "Group 2 Hcp"]);
    if (score > 1.45) return random.pick(["Group 3", "G3"]);
    return random.pick(["Listed", "LISTED", "Listed Hcp"]);
}

function hongKongText(random: Random, level: number, oldest: number): string {
    if (oldest < 3.2) return "Griffin Race";
    if (random.chance(0.02)) return "4 Year Olds";
    const step = level < -0.6 ? 5 : level < 0.3 ? 4 : level < 1.1 ? 3 : level < 1.7 ? 2 : 1;
    if (random.chance(0.15)) return `Class ${step}`;
    return `Class ${step} (${["110-95", "100-80", "80-60", "60-40", "40-15"][step - 1]})`;
}

const hongKongGoing: readonly (readonly [upTo: number, words: string])[] = [
    [0.25, "GOOD TO FIRM"],
    [0.52, "GOOD"],
    [0.58, "GOOD TO YIELDING"],
    [0.65, "YIELDING"],
    [0.72, "YIELDING TO SOFT"],
    [0.82, "SOFT"],
    [1, "HEAVY"],
];

/** The going of a meeting in the words of its country; undefined for most synthetic tracks. */
export function goingText(
    random: Random,
    country: Country,
    surface: string,
    wetness: number,
): string | undefined {
    if (random.chance(0.006)) return undefined;
    if (surface === "Synthetic") return random.pick([undefined, undefined, undefined, "Synthetic"]);
    if (country === "HK") {
        if (surface === "Dirt") return wetness < 0.45 ? "GOOD" : wetness < 0.65 ? "WET FAST" : "WET SLOW";
        return hongKongGoing.find(([upTo]) => wetness < upTo)![1];
    }
    if (country === "AU" || country === "NZ") {
        const number = Math.min(10, 1 + Math.floor(wetness * 10));
        const word = number <= 2 ? "Firm" : number <= 4 ? "Good" : number <= 7 ? "Soft" : "Heavy";
        return random.pick([
            `${word} ${number}`,
            `${word} ${number}`,
            `${word} ${number}`,
            `${word}${number}`,
            word,
            `${word.toUpperCase()} ${number}`,
            `${word.toLowerCase()} ${number}`,
        ]);
    }
    if (surface === "Dirt") return wetness < 0.5 ? "Fast" : random.pick(["Muddy", "Sloppy"]);
    return random.pick(
        wetness < 0.3
            ? ["Firm", "Good to Firm"]
            : wetness < 0.6
              ? ["Good", "Good to Soft (Good in places)"]
              : ["Soft", "Heavy"],
    );
}

export function railText(random: Random, country: Country): string | undefined {
    if (country === "HK") {
        return random.pick([
            "RAIL - True (A course)",
            "RAIL - A+3 course",
            "RAIL - B course",
            "RAIL - B+2 course",
            "RAIL - C course",
            "RAIL - C+3 course",
            undefined,
        ]);
    }
    return random.pick([
        "RAIL - True Entire",
        "RAIL - True",
        "True",
        `RAIL - Out ${random.between(2, 12)}m`,
        `RAIL - Out ${random.between(2, 9)}m Entire Circuit`,
        `RAIL - +${random.between(2, 9)}m ${random.pick(["1000-400", "1200-WP", "800-400"])}, True Remainder`,
        undefined,
    ]);
}

export function weatherText(random: Random, wetness: number): string | undefined {
    if (random.chance(0.1)) return undefined;
    return random.pick(
        wetness > 0.6 ? ["Rain", "Showery", "Overcast", "SHOWERS"] : ["Fine", "FINE", "Overcast", "Hot"],
    );
}

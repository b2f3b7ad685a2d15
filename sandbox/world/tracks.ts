export type Country = "AU" | "NZ" | "HK" | "UK" | "IE" | "FR" | "JP" | "AE" | "US";

export interface Track {
    readonly country: Country;
    /** As rows spell it: the first nine times in ten, the others now and then. */
    readonly names: readonly string[];
    readonly surfaces: readonly ("Turf" | "Synthetic" | "Dirt")[];
    readonly distances: readonly number[];
    /** 1 country, 2 provincial, 3 metropolitan: what meets there. */
    readonly grade: 1 | 2 | 3;
    /** How much an outside barrier costs a runner, in strength over the whole width of the gate. */
    readonly barrierBias: number;
}

const usual = [1000, 1100, 1200, 1400, 1600, 1800, 2000, 2400];
const country = [1000, 1100, 1200, 1350, 1400, 1600, 2050];
const staying = [...usual, 2500, 3200];

function track(
    names: readonly string[],
    place: Country,
    grade: Track["grade"],
    options: Partial<Pick<Track, "surfaces" | "distances" | "barrierBias">> = {},
): Track {
    return {
        country: place,
        names,
        grade,
        surfaces: options.surfaces ?? ["Turf"],
        distances: options.distances ?? (grade === 1 ? country : usual),
        barrierBias: options.barrierBias ?? 0.35,
    };
}

export const tracks: readonly Track[] = [
    track(["Randwick", "Royal Randwick"], "AU", 3, { distances: staying }),
    track(["Rosehill", "Rosehill Gardens"], "AU", 3, {
        distances: [1100, 1200, 1300, 1500, 1800, 2000, 2400],
    }),
    track(["Flemington"], "AU", 3, { distances: [...staying, 2800, 2520], barrierBias: 0 }),
    track(["Caulfield", "Caulfield Heath"], "AU", 3, {
        distances: [1000, 1100, 1200, 1400, 1600, 1800, 2000, 2400],
    }),
    track(["Moonee Valley", "The Valley"], "AU", 3, {
        distances: [955, 1200, 1600, 2040, 2500],
        barrierBias: 0.7,
    }),
    track(["Eagle Farm"], "AU", 3),
    track(["Doomben"], "AU", 3, { distances: [1110, 1200, 1350, 1640, 2000, 2200], barrierBias: 0.6 }),
    track(["Morphettville", "Morphettville Parks"], "AU", 3),
    track(["Ascot"], "AU", 3, { distances: [1000, 1200, 1400, 1600, 1800, 2200] }),
    track(["Geelong", "Ladbrokes Geelong"], "AU", 2),
    track(["Geelong Synthetic", "Ladbrokes Geelong Synthetic"], "AU", 2, { surfaces: ["Synthetic"] }),
    track(["Ballarat", "Sportsbet-Ballarat"], "AU", 2),
    track(["Ballarat Synthetic", "Sportsbet-Ballarat Synthetic"], "AU", 2, { surfaces: ["Synthetic"] }),
    track(["Pakenham", "Southside Pakenham"], "AU", 2),
    track(["Cranbourne", "Southside Cranbourne"], "AU", 2),
    track(["Sandown Hillside", "Sandown-Hillside"], "AU", 3),
    track(["Bendigo", "Apiam Bendigo"], "AU", 2),
    track(["Newcastle", "Beaumont Newcastle"], "AU", 2, {
        distances: [900, 1150, 1250, 1400, 1600, 1850, 2300],
    }),
    track(["Gosford", "Entertainment Park Gosford"], "AU", 2, { barrierBias: 0.6 }),
    track(["Kembla Grange"], "AU", 2),
    track(["Gold Coast", "Aquis Park Gold Coast"], "AU", 2),
    track(["Sunshine Coast", "Aquis Sunshine Coast"], "AU", 2),
    track(["Ipswich"], "AU", 2, { barrierBias: 0.6 }),
    track(["Wagga", "Wagga Wagga"], "AU", 1),
    track(["Dubbo"], "AU", 1),
    track(["Tamworth"], "AU", 1),
    track(["Swan Hill"], "AU", 1),
    track(["Wangaratta", "Bet365 Wangaratta"], "AU", 1),
    track(["Murray Bridge", "Murray Bridge GH"], "AU", 1),
    track(["Kalgoorlie"], "AU", 1),
    track(["Darwin", "Fannie Bay"], "AU", 1, { surfaces: ["Dirt"] }),
    // Not in any list: the pipeline has to say that it does not know it.
    track(["Wombat Flat"], "AU", 1),
    track(["Ellerslie"], "NZ", 3, { distances: staying }),
    track(["Te Rapa"], "NZ", 3),
    track(["Trentham"], "NZ", 3, { distances: staying }),
    track(["Riccarton", "Riccarton Park"], "NZ", 3),
    track(["Riccarton Synthetic", "Riccarton Park Synthetic"], "NZ", 2, { surfaces: ["Synthetic"] }),
    track(["Awapuni"], "NZ", 2),
    track(["Hastings"], "NZ", 2),
    track(["Otaki"], "NZ", 2),
    track(["Matamata"], "NZ", 2),
    track(["Cambridge Synthetic"], "NZ", 2, { surfaces: ["Synthetic"], distances: [970, 1300, 1550, 2000] }),
    track(["Sha Tin"], "HK", 3, {
        surfaces: ["Turf", "Turf", "Turf", "Dirt"],
        distances: [1000, 1200, 1400, 1600, 1650, 1800, 2000, 2400],
        barrierBias: 0.4,
    }),
    track(["Happy Valley"], "HK", 3, { distances: [1000, 1200, 1650, 1800, 2200], barrierBias: 0.8 }),
    track(["Newmarket", "Newmarket (July)"], "UK", 3, { barrierBias: 0 }),
    track(["York"], "UK", 3),
    track(["Curragh", "The Curragh"], "IE", 3),
    track(["Longchamp", "ParisLongchamp"], "FR", 3),
    track(["Tokyo"], "JP", 3),
    track(["Meydan"], "AE", 3, { surfaces: ["Turf", "Dirt"] }),
    track(["Saratoga"], "US", 3, { surfaces: ["Dirt", "Turf"] }),
];

/** Share of all meetings; Hong Kong races on Wednesdays and Sundays only. */
export const countryShares: readonly (readonly [Country, number])[] = [
    ["AU", 0.62],
    ["NZ", 0.16],
    ["HK", 0.15],
    ["UK", 0.015],
    ["IE", 0.01],
    ["FR", 0.01],
    ["JP", 0.015],
    ["AE", 0.01],
    ["US", 0.01],
];

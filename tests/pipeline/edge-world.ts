import type { TinyWorld } from "./tiny-world.ts";

type Row = Readonly<Record<string, string | number | null>>;
type Runner = readonly [slug: string, row: Row];

interface Race {
    readonly id: number;
    readonly date: string;
    readonly number?: number;
    readonly track?: string;
    readonly race?: Row;
    readonly runners: readonly Runner[];
}

/** A day at Randwick and after: each race has an edge in it that a definition has to decide. */
const races: readonly Race[] = [
    // Two first starters on a leap day.
    {
        id: 1,
        date: "2024-02-29",
        race: { race_class: "Maiden Plate", track_condition: "Good 4", track_info: "RAIL - Out 6m" },
        runners: [
            ["ada", { position: 1, barrier: 1, win_odds: 1.5, jockey_slug: "jo", position_800m: 1 }],
            ["bea", { position: 2, barrier: 2, win_odds: 3, jockey_slug: "kit", position_800m: 2 }],
        ],
    },
    // One is scratched after the declaration: a field of one.
    {
        id: 2,
        date: "2024-03-01",
        track: "Royal Randwick",
        race: { race_class: "BM64" },
        runners: [
            ["ada", { position: 1, barrier: 2, win_odds: 1.1, jockey_slug: "jo", position_800m: 1 }],
            ["bea", { finish_status: "SCRATCHED", barrier: 1, win_odds: 9, jockey_slug: "kit" }],
        ],
    },
    // Two winners, two that do not finish, no prices, distance and class unknown.
    {
        id: 3,
        date: "2024-03-02",
        race: { race_distance: null },
        runners: [
            ["ada", { position: 1, barrier: 1, position_800m: 3, position_400m: 2 }],
            ["bea", { position: 1, barrier: 2, position_400m: 2 }],
            ["dan", { position: 3, barrier: 3, position_800m: 1 }],
            ["eve", { finish_status: "FELL", barrier: 4 }],
            ["fay", { position: 99, barrier: 5 }],
        ],
    },
    // One price missing.
    {
        id: 4,
        date: "2024-03-03",
        track: "Sportsbet Randwick",
        race: { race_distance: null, race_class: "BM70" },
        runners: [
            ["ada", { position: 2, win_odds: 2 }],
            ["bea", { position: 1, win_odds: 4 }],
            ["dan", { position: 3, win_odds: 4 }],
            ["eve", { position: 4, win_odds: 10 }],
            ["fay", { position: 5 }],
        ],
    },
    // Never run: no start of anybody, whatever its date.
    {
        id: 5,
        date: "2024-03-04",
        runners: [
            ["ada", { win_odds: 2 }],
            ["bea", { win_odds: 2 }],
        ],
    },
    // A stable with five runners in one race, and two more later that day.
    {
        id: 6,
        date: "2024-05-11",
        number: 1,
        runners: [
            ...["s1", "s2", "s3", "s4", "s5"].map(
                (slug, index): Runner => [slug, { position: index + 1, trainer_slug: "tom" }],
            ),
            ["x1", { position: 6, trainer_slug: "una" }],
        ],
    },
    {
        id: 7,
        date: "2024-05-11",
        number: 2,
        runners: [
            ["s6", { position: 2, trainer_slug: "tom" }],
            ["s7", { position: 3, trainer_slug: "tom" }],
            ["x2", { position: 1, trainer_slug: "una" }],
        ],
    },
    {
        id: 8,
        date: "2024-05-12",
        runners: [
            ["s1", { position: 1, trainer_slug: "tom" }],
            ["x1", { position: 2 }],
        ],
    },
    // From Hong Kong to Australia, while a namesake stays.
    {
        id: 9,
        date: "2024-01-10",
        track: "Sha Tin",
        runners: [
            ["max", { position: 1, jockey_slug: "jo" }],
            ["hans", { position: 2 }],
        ],
    },
    {
        id: 10,
        date: "2024-06-01",
        runners: [
            ["max", { position: 2, jockey_slug: "jo" }],
            ["dan", { position: 1 }],
        ],
    },
    {
        id: 11,
        date: "2024-06-01",
        track: "Sha Tin",
        runners: [
            ["max", { position: 1 }],
            ["hans", { position: 2 }],
        ],
    },
    {
        id: 12,
        date: "2024-06-08",
        runners: [
            ["max", { position: 1, jockey_slug: "jo" }],
            ["dan", { position: 2 }],
        ],
    },
    // Windows of days around a leap day: leo's first start was on it.
    {
        id: 20,
        date: "2024-02-29",
        runners: [
            ["leo", { position: 1, jockey_slug: "lea" }],
            ["l1", { position: 2 }],
        ],
    },
    ...["2024-04-29", "2024-04-30", "2024-05-29", "2024-05-30", "2025-02-28", "2025-03-01"].map(
        (date, index): Race => ({
            id: 21 + index,
            date,
            runners: [
                // On the day in question another horse, so that its own starts do not count.
                [index < 4 ? "leo" : `l${index}`, { jockey_slug: index < 4 ? "ned" : "lea", position: 1 }],
                [`m${index}`, { position: 2 }],
            ],
        }),
    ),
    // To come: one scratched, one without a jockey.
    {
        id: 30,
        date: "2025-06-01",
        race: { race_class: "Nobody Knows Cup" },
        runners: [
            ["ada", { win_odds: 2, barrier: 1, jockey_slug: "jo", trainer_slug: "tom" }],
            ["dan", { win_odds: 3, barrier: 3 }],
            ["bea", { win_odds: 3, barrier: 2, finish_status: "LATE_SCRATCHED" }],
        ],
    },
];

/** Jim rides thirty races on each day of a weekend; race_ids run against the race numbers. */
const weekend: readonly Race[] = ["2023-04-08", "2023-04-09"].flatMap((date, day) =>
    Array.from({ length: 30 }, (_, index): Race => {
        const number = index + 1;
        const wins = number <= (day === 0 ? 10 : 6);
        return {
            id: 2000 - 100 * day - number,
            date,
            number,
            track: "Flemington",
            runners: [
                [`r${day}-${number}`, { position: wins ? 1 : 2, jockey_slug: "jim" }],
                [`q${day}-${number}`, { position: wins ? 2 : 1 }],
            ],
        };
    }),
);

/** The Monday after it, and the days on which its Saturday and its Sunday leave the last thirty days. */
const after = ["2023-04-10", "2023-05-08", "2023-05-09"].map(
    (date, index): Race => ({
        id: 3000 + index,
        date,
        track: "Flemington",
        runners: [
            [`j${index}`, { position: 1, jockey_slug: "jim" }],
            [`k${index}`, { position: 2 }],
        ],
    }),
);

const all = [...races, ...weekend, ...after];

export const edgeWorld: TinyWorld = {
    races: all.map(({ id, date, number = 1, track = "Randwick", race }) => ({
        race_id: id,
        race_date: date,
        race_number: number,
        track_name: track,
        race_distance: 1200,
        ...race,
    })),
    race_results: all.flatMap(({ id, runners }) =>
        runners.map(([horse_slug, row], index) => ({
            id: id * 100 + index,
            race_id: id,
            horse_slug,
            horse_number: String(index + 1),
            ...row,
        })),
    ),
};

/** Ratings by places alone, with one K: what a reader can compute by hand. */
export const plainElo = { elo_k: 32, elo_boost: 0, elo_margin_scale: 0 };

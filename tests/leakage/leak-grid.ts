import { quoteText } from "../../runner/names.ts";
import type { ModelFile, Project } from "../../runner/project/project.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";

/** Outcomes of a starter, exact in any order of adding up. */
const outcomes = {
    win: "is_win::integer",
    margin: "margin::decimal(9, 3)",
    time: "raw_time_seconds::decimal(9, 3)",
    last_600m: "seconds_to_600m::decimal(9, 3)",
} as const;

/** Whose outcomes are taken together. */
const partitions = {
    all: "",
    horse: "horse_key",
    jockey: "jockey_key",
    trainer: "trainer_key",
    track: "track_key",
    course: "track_key, distance_key",
    location: "location",
    race: "race_id",
    day: "race_date",
    class: "class_rating",
    barrier: "barrier",
    horse_jockey: "horse_key, jockey_key",
    jockey_trainer: "jockey_key, trainer_key",
    jockey_track: "jockey_key, track_key",
    horse_surface: "horse_key, track_type",
} as const;

/** Those of them that a feature with two recipes is made over. */
const twofold = {
    long: [
        "all",
        "horse",
        "jockey",
        "trainer",
        "track",
        "course",
        "class",
        "barrier",
        "horse_jockey",
        "jockey_track",
    ],
    rare: ["all", "horse", "jockey", "track", "jockey_trainer"],
} as const;

const over = (partition: string, rest = "") => {
    const by = partition === "" ? "" : `partition by ${partition} `;
    return `over (${by}${rest})`;
};
const upToToday = "order by race_date groups between unbounded preceding and current row";
const beforeToday = "order by race_date groups between unbounded preceding and 1 preceding";
const byRace = "order by race_date, race_id, runner_id";

/**
 * How a feature is made that knows too much: over all times, up to today, row by row, of the next start, if there are
 * many.
 */
const forms = {
    whole: (outcome: string, partition: string) => `avg(${outcome}) ${over(partition)}`,
    today: (outcome: string, partition: string) => `avg(${outcome}) ${over(partition, upToToday)}`,
    rows: (outcome: string, partition: string) =>
        `avg(${outcome}) ${over(partition, `${byRace} rows between unbounded preceding and 1 preceding`)}`,
    next: (outcome: string, partition: string) => `lead(${outcome}) ${over(partition, byRace)}`,
    often: (outcome: string, partition: string) =>
        `case when count(*) ${over(partition)} >= 100 then avg(${outcome}) ${over(partition, upToToday)} end`,
    seldom: (outcome: string, partition: string) =>
        `case when count(*) ${over(partition)} <= 5 then avg(${outcome}) ${over(partition, upToToday)} end`,
    year_later: (outcome: string, partition: string) =>
        `avg(${outcome}) ${over(partition, "order by race_date range between interval 350 days following and interval 380 days following")}`,
    late: (outcome: string, partition: string) =>
        `case when count(*) ${over(partition, upToToday)} >= 1000 then avg(${outcome}) ${over(partition, "order by race_date groups between 20 preceding and current row")} end`,
} as const;

/**
 * Where a feature with two recipes has the one that leaks, by the length of the history it is made from: in rows, or in
 * days.
 */
const lengths = {
    // Told by a number of the SQL.
    from_100: (partition: string) => `count(*) ${over(partition, beforeToday)} >= 100`,
    from_500: (partition: string) => `count(*) ${over(partition, beforeToday)} >= 500`,
    from_1000: (partition: string) => `count(*) ${over(partition, beforeToday)} >= 1000`,
    // Of other values, and so no number that the SQL tells: 250 and 2,160.
    from_5_times_50: (partition: string) =>
        `count(*) ${over(partition, beforeToday)} >= 5 * greatest(50, barrier)`,
    from_24_times_90: (partition: string) =>
        `count(*) ${over(partition, beforeToday)} >= 24 * greatest(90, barrier)`,
    from_5000: (partition: string) => `count(*) ${over(partition, beforeToday)} >= 5000`,
    from_20000: (partition: string) => `count(*) ${over(partition, beforeToday)} >= 20000`,
    from_half: (partition: string) =>
        `2 * count(*) ${over(partition, beforeToday)} >= (select max(n) from (select count(*) as n from starters group by ${partition || "true"}))`,
    after_years: (partition: string) =>
        `race_date - min(race_date) ${over(partition)} >= 10 * (80 + barrier)`,
    after_break: (partition: string) => `race_date - max(race_date) ${over(partition, beforeToday)} >= 60`,
    below_5: (partition: string) => `count(*) ${over(partition, beforeToday)} < 5`,
    first: (partition: string) => `count(*) ${over(partition, beforeToday)} = 0`,
    last: (partition: string) =>
        `count(*) ${over(partition, "order by race_date groups between 1 following and unbounded following")} = 0`,
} as const;

/** What a rare value may be of: the recipe that leaks is that of one value alone. */
const rareIn = {
    course: "track_slug || ' ' || race_distance",
    distance: "race_distance",
    class: "class_rating",
    field: "total_runners",
    barrier: "barrier",
    jockey: "jockey_key",
    month: "strftime(race_date, '%Y-%m')",
    weekday: "dayofweek(race_date)",
} as const;

/** A value's place among all of its kind, the rarest first. */
const places = { rarest: 0, rare: 0.1, middling: 0.5 } as const;

/** The two recipes: a value is one of the day too, or of all times, in place of one of the days before. */
const recipes = {
    today: (outcome: string, partition: string) => `avg(${outcome}) ${over(partition, upToToday)}`,
    whole: (outcome: string, partition: string) => `avg(${outcome}) ${over(partition)}`,
} as const;

export interface LeakGrid {
    readonly project: Project;
    /** How many of them a model of the grid has. */
    readonly columns: ReadonlyMap<string, number>;
}

/**
 * The project with the grid beside its models: whatever can be made wrong of these outcomes, in these ways. What is
 * rare is looked up in the full build and stands as a constant, as an author would write it.
 */
export async function withLeakGrid(project: Project, full: Warehouse): Promise<LeakGrid> {
    const like = project.models.find(({ name }) => name === "form_changes")!;
    const features = { ...formFeatures(), ...lengthFeatures(), ...(await rareFeatures(full)) };
    const models = Object.entries(features).map(
        ([name, columns]): ModelFile => ({
            ...like,
            name,
            file: `models/features/${name}.sql`,
            text: [
                "with starters as (",
                '    select runners.*, races.track_slug from {{ref "runners"}} as runners',
                '    inner join {{ref "race_facts"}} as races using (race_id)',
                ")",
                "select",
                "    runner_id,",
                "    race_date,",
                ...columns.map((column) => `    ${column},`),
                "from starters",
                "order by runner_id",
            ].join("\n"),
            config: { ...like.config, tags: [], columns: [], tests: [] },
        }),
    );
    return {
        project: { ...project, models: [...project.models, ...models] },
        columns: new Map(Object.entries(features).map(([name, columns]) => [name, columns.length])),
    };
}

type Features = Readonly<Record<string, readonly string[]>>;

function formFeatures(): Features {
    return Object.fromEntries(
        Object.entries(forms).map(([form, feature]) => [
            `grid_${form}`,
            Object.entries(outcomes).flatMap(([outcome, value]) =>
                Object.entries(partitions).map(
                    ([whose, partition]) => `${feature(value, partition)} as ${outcome}_by_${whose}`,
                ),
            ),
        ]),
    );
}

function lengthFeatures(): Features {
    return Object.fromEntries(
        Object.entries(lengths).map(([length, isLeaky]) => [
            `grid_${length}`,
            twofold.long.flatMap((whose) =>
                (["win", "last_600m"] as const).flatMap((outcome) =>
                    twoRecipes(outcome, whose, isLeaky(partitions[whose])),
                ),
            ),
        ]),
    );
}

async function rareFeatures(full: Warehouse): Promise<Features> {
    const features: Record<string, readonly string[]> = {};
    for (const [kind, value] of Object.entries(rareIn)) {
        for (const [place, share] of Object.entries(places)) {
            const [row] = await full.rows(`
                select quantile_disc(value, ${share} order by starters, value)::varchar as value
                from (
                    select ${value} as value, count(*) as starters
                    from main.runners inner join (select race_id, track_slug from main.race_facts) using (race_id)
                    where value is not null
                    group by all
                )`);
            const isLeaky = `(${value})::varchar = ${quoteText(String(row!.value))}`;
            features[`grid_${place}_${kind}`] = twofold.rare.flatMap((whose) => [
                ...twoRecipes("win", whose, isLeaky),
                `avg(${outcomes.win}) filter (where ${isLeaky}) ${over(partitions[whose], upToToday)} as win_among_by_${whose}`,
            ]);
        }
    }
    return features;
}

function twoRecipes(
    outcome: keyof typeof outcomes,
    whose: keyof typeof partitions,
    isLeaky: string,
): readonly string[] {
    const [value, partition] = [outcomes[outcome], partitions[whose]];
    const clean = `avg(${value}) ${over(partition, beforeToday)}`;
    return Object.entries(recipes).map(
        ([recipe, leaky]) =>
            `case when ${isLeaky} then ${leaky(value, partition)} else ${clean} end as ${outcome}_${recipe}_by_${whose}`,
    );
}

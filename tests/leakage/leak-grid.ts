import type { ModelFile, Project } from "../../runner/project/project.ts";

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

const over = (partition: string, rest = "") => {
    const by = partition === "" ? "" : `partition by ${partition} `;
    return `over (${by}${rest})`;
};
const upToToday = "order by race_date groups between unbounded preceding and current row";
const byRace = "order by race_date, race_id, runner_id";

/** How a feature is made that knows too much: over all times, up to today, row by row, of the next start, if there are many. */
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
    late: (outcome: string, partition: string) =>
        `case when count(*) ${over(partition, upToToday)} >= 1000 then avg(${outcome}) ${over(partition, "order by race_date groups between 20 preceding and current row")} end`,
} as const;

/** A model for every form, with a column for every outcome and partition, of which nearly all leak. */
export const gridModels = Object.keys(forms).map((form) => `grid_${form}`);

export const gridColumns = gridModels.length * Object.keys(outcomes).length * Object.keys(partitions).length;

/** The project with the grid beside its models: whatever can be made wrong of these outcomes, in these ways. */
export function withLeakGrid(project: Project): Project {
    const like = project.models.find(({ name }) => name === "form_changes")!;
    const models = Object.entries(forms).map(([form, feature]): ModelFile => {
        const columns = Object.entries(outcomes).flatMap(([outcome, value]) =>
            Object.entries(partitions).map(
                ([whose, partition]) => `    ${feature(value, partition)} as ${outcome}_by_${whose},`,
            ),
        );
        return {
            ...like,
            name: `grid_${form}`,
            file: `models/features/grid_${form}.sql`,
            text: [
                "select",
                "    runner_id,",
                "    race_date,",
                ...columns,
                'from {{ref "runners"}}',
                "order by runner_id",
            ].join("\n"),
            config: { ...like.config, tags: [], columns: [], tests: [] },
        };
    });
    return { ...project, models: [...project.models, ...models] };
}

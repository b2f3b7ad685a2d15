import type { Warehouse } from "../../../runner/warehouse/types.ts";
import type { Pipeline } from "./build-pipeline.ts";

export interface OneDefinition {
    readonly days: readonly string[];
    /** Rows of training compared with upcoming ones, and with each of the five current forms. */
    readonly rows: Readonly<Record<string, number>>;
    /** One line a column that differs. */
    readonly differences: readonly string[];
}

/** A current form: which rows of training it answers for, and under which names and units its columns stand there. */
interface CurrentForm {
    readonly state: string;
    readonly entities: readonly string[];
    /** Column of the state, as SQL over `state`, and the same fact as SQL over `training`. */
    readonly columns: readonly (readonly [state: string, training: string])[];
    /** What tells that the entity has a history. */
    readonly hasHistory: string;
}

const same = (...names: readonly string[]) => names.map((name) => [name, name] as const);
const named = (prefix: string, ...names: readonly string[]) =>
    names.map((name) => [name, `${prefix}_${name}`] as const);

/** The same division as the state's: a percentage of the rate, which is a float, would be a rounding apart. */
const percentage = (rate: string, total: string) =>
    `(100 * round(training.${rate}::double * training.${total}) / training.${total})::float`;

const person = (
    name: string,
    totals: string,
    since: string,
    lastDate: string,
    latest: readonly string[],
): CurrentForm => ({
    state: `${name}_form_state`,
    entities: [name],
    hasHistory: `training.${name}_${totals} > 0`,
    columns: [
        [totals, `${name}_${totals}`],
        ["wins", `round(training.${name}_win_rate * training.${name}_${totals})`],
        ["places", `round(training.${name}_place_rate * training.${name}_${totals})`],
        ["win_percentage", percentage(`${name}_win_rate`, `${name}_${totals}`)],
        ["place_percentage", percentage(`${name}_place_rate`, `${name}_${totals}`)],
        ...named(name, ...latest),
        [lastDate, `training.race_date - training.${name}_${since}`],
    ],
});

const pair = (one: string, other: string, strong: string): CurrentForm => ({
    state: `${one}_${other}_connection_state`,
    entities: [one, other],
    hasHistory: `training.${one}_${other}_connection_races > 0`,
    columns: [
        ...named(
            `${one}_${other}`,
            ...["races", "wins", "places", "win_rate", "place_rate"].map((name) => `connection_${name}`),
        ),
        ["last_ride_together", `training.race_date - training.${one}_${other}_days_since_together`],
        ["strong_connection", strong],
    ],
});

const currentForms: readonly CurrentForm[] = [
    {
        state: "horse_form_state",
        entities: ["horse"],
        hasHistory: "training.total_races > 0",
        columns: [
            ...same(
                ...["last_5_win_rate", "last_5_place_rate", "last_5_avg_position", "form_momentum"],
                ...["total_races", "wins", "places", "win_percentage", "place_percentage"],
                ...["consistency_score", "runs_last_60_days", "runs_last_90_days", "avg_days_between_runs"],
                ...["running_style", "avg_early_position_800m", "avg_late_surge", "early_speed_score"],
                ...["closing_ability_score", "avg_pos_200m", "early_speed_pct", "strong_finish_pct"],
                ...["pos_volatility_800", "finishing_kick_consistency", "avg_sectional_400m"],
                ...["avg_sectional_800m", "avg_cumulative_800m", "sectional_time_consistency"],
                ...["early_vs_mid_pace_change", "historical_speed_vs_field"],
            ),
            ["last_race_date", "training.race_date - training.days_since_last_race"],
            ["current_elo", "horse_elo"],
            ["avg_pos_400m", "avg_mid_position_400m"],
        ],
    },
    person("jockey", "total_rides", "days_since_last_ride", "last_ride_date", [
        ...["avg_position_20", "avg_position_50", "last_20_win_rate", "last_50_win_rate"],
    ]),
    person("trainer", "total_runners", "days_since_last_runner", "last_runner_date", [
        ...["avg_position_50", "avg_position_100", "last_50_win_rate", "last_100_win_rate"],
    ]),
    pair("jockey", "horse", "strong_jockey_connection"),
    pair("jockey", "trainer", "strong_trainer_connection"),
];

/**
 * Training, upcoming and current form against each other: for some days T, the outcomes from T on are taken out of the
 * sources and all is built as on the evening before T. The pipeline is left as it was on the last of these evenings.
 */
export async function compareDefinitions(
    { warehouse, build }: Pipeline,
    count: number,
): Promise<OneDefinition> {
    await keepFullBuild(warehouse);
    const days = await chooseDays(warehouse, count);
    const rows: Record<string, number> = {};
    const differences: string[] = [];
    const take = (what: string, day: string, found: Compared) => {
        rows[what] = (rows[what] ?? 0) + found.rows;
        differences.push(...found.differences.map((line) => `${day}, ${what}: ${line}`));
    };
    for (const day of days) {
        await removeOutcomes(warehouse, day);
        await build();
        take("upcoming", day, await compareUpcoming(warehouse, day));
        for (const form of currentForms)
            take(form.state, day, await compareCurrentForm(warehouse, form, day));
    }
    return { days, rows, differences };
}

async function keepFullBuild(warehouse: Warehouse): Promise<void> {
    await warehouse.execute("create schema kept");
    for (const table of ["races", "race_results", "sectional_times"])
        await warehouse.execute(`create table kept.${table} as from sources.${table}`);
    await warehouse.execute(`
        create table kept.training as from main.race_training_dataset;
        create table kept.upcoming as from main.race_upcoming_dataset;`);
}

/** The last day with results, the busiest one, and others spread over the history. */
async function chooseDays(warehouse: Warehouse, count: number): Promise<readonly string[]> {
    const found = await warehouse.rows(
        "select race_date::varchar as day, count(*)::int as starters from kept.training group by all order by all",
    );
    const busiest = found.reduce((one, other) =>
        Number(other.starters) > Number(one.starters) ? other : one,
    );
    const spread = Array.from({ length: count - 2 }, (_, index) =>
        Math.floor((found.length * (index + 1)) / (count - 1)),
    );
    const chosen = [busiest, found.at(-1)!, ...spread.map((at) => found[at]!)];
    return [...new Set(chosen.map(({ day }) => String(day)))].sort();
}

/** As the tables stood on the evening before the day: declared runners, scratchings, and no outcome from it on. */
async function removeOutcomes(warehouse: Warehouse, day: string): Promise<void> {
    const earlier = `(select race_id from kept.races where race_date < '${day}')`;
    const outcome = (name: string) => `case when race_id in ${earlier} then ${name} end as ${name}`;
    await warehouse.execute(`
        create or replace table sources.race_results as
        select * replace (
            ${["position", "margin", "prize_money", "position_800m", "position_400m"].map(outcome).join(", ")},
            case
                when race_id in ${earlier} or finish_status ilike '%scratched%' then finish_status
            end as finish_status
        )
        from kept.race_results;
        create or replace table sources.sectional_times as
        select * from kept.sectional_times where race_id in ${earlier};`);
}

interface Compared {
    readonly rows: number;
    readonly differences: readonly string[];
}

async function compareUpcoming(warehouse: Warehouse, day: string): Promise<Compared> {
    const columns = (await warehouse.describe("select * from main.race_upcoming_dataset"))
        .map(({ name }) => name)
        .filter((name) => !["race_id", "horse_slug"].includes(name));
    return compareRows(
        warehouse,
        columns.map((name) => [name, `evening.${name}`, `training.${name}`]),
        `(
            select ${["race_id", "horse_slug", ...columns].join(", ")} from kept.training where race_date = '${day}'
            union all by name
            select * from kept.upcoming where race_date = '${day}'
        ) as training
        full join (select * from main.race_upcoming_dataset where race_date = '${day}') as evening
            on training.race_id = evening.race_id and training.horse_slug = evening.horse_slug`,
        "evening.race_id is null or training.race_id is null",
    );
}

/** Of entities whose latest start was where they start on the day: elsewhere they have another history. */
async function compareCurrentForm(
    warehouse: Warehouse,
    { state, entities, columns, hasHistory }: CurrentForm,
    day: string,
): Promise<Compared> {
    const slugs = entities.map((entity) => `${entity}_slug`);
    const own = slugs.map((slug) => `latest.${slug} = training.${slug}`).join(" and ");
    return compareRows(
        warehouse,
        columns.map(([name, fact]) => [
            name,
            `state.${name}`,
            /^\w+$/.test(fact) ? `training.${fact}` : fact,
        ]),
        `kept.training as training
        inner join (
            select ${slugs.join(", ")}, arg_max(location, runner_id) as location
            from main.runners where has_run group by all
        ) as latest on ${own} and latest.location = training.location and training.race_date = '${day}'
        left join main.${state} as state on ${slugs.map((slug) => `state.${slug} = training.${slug}`).join(" and ")}`,
        `(state.${slugs[0]} is null) = (${hasHistory})`,
    );
}

async function compareRows(
    warehouse: Warehouse,
    columns: readonly (readonly [name: string, one: string, other: string])[],
    from: string,
    isMissing: string,
): Promise<Compared> {
    const counts = columns.map(
        ([, one, other], at) =>
            `count_if((${one}) is distinct from (${other}) and not (${isMissing})) as column_${at}`,
    );
    const [found] = await warehouse.rows(
        `select count(*)::int as rows, count_if(${isMissing})::int as missing, ${counts.join(", ")} from ${from}`,
    );
    const differences = columns.flatMap(([name], at) => {
        const differing = Number(found![`column_${at}`]);
        return differing > 0 ? [`${name}: ${differing} of ${found!.rows} rows`] : [];
    });
    const missing = Number(found!.missing);
    return {
        rows: Number(found!.rows),
        differences: missing > 0 ? [`${missing} rows on one side only`, ...differences] : differences,
    };
}

import type { Mutant } from "../mutant.ts";

const record = "macros/person_record.hbs";
const days = "macros/person_days.hbs";
const conditions = "macros/person_conditions.hbs";
const connections = "models/features/connections.sql";
/** The window of systems that order by (date, id). */
const rowsByRace =
    "over (partition by runners.{{person}}_key order by runners.race_date, runners.race_id, runners.runner_id rows between unbounded preceding and 1 preceding)";
const byDay = "groups between unbounded preceding and 1 preceding";
const untilToday = "groups between unbounded preceding and current row";

/** Jockeys, trainers, and whom they start with. */
export const peopleMutants: readonly Mutant[] = [
    {
        name: "trainer_rows_by_race",
        why: "a trainer's second runner in a race sees the result of the first",
        file: record,
        replace: [
            [
                "rate(days.wins, days.total_{{start}}s) as {{person}}_win_rate,",
                `(avg(runners.is_win::utinyint) ${rowsByRace})::float as {{person}}_win_rate,`,
            ],
        ],
        seenIn: "trainer",
        column: "trainer_win_rate",
        from: ["own", "same-day"],
    },
    {
        name: "jockey_rows_by_race",
        why: "a jockey's fourth ride of the day sees the first three",
        file: record,
        replace: [
            [
                "coalesce(days.total_{{start}}s, 0)::uinteger",
                `(count(*) filter (where runners.has_run) ${rowsByRace})::uinteger`,
            ],
        ],
        seenIn: "jockey",
        column: "jockey_total_rides",
        from: ["same-day"],
    },
    {
        name: "trainer_days_with_today",
        why: "rows of days, the day itself among them",
        file: days,
        replace: [
            [
                "rows between unbounded preceding and 1 preceding",
                "rows between unbounded preceding and current row",
            ],
        ],
        seenIn: "trainer",
        column: "trainer_place_rate",
        from: ["own", "same-day"],
    },
    {
        name: "jockey_30_days_with_today",
        why: "the frame of 30 days is off by one day",
        file: days,
        replace: [["{{days}} preceding and 1 preceding", "{{days}} preceding and current row"]],
        seenIn: "jockey",
        column: "jockey_win_rate_30d",
        from: ["own", "same-day"],
    },
    {
        name: "trainer_latest_of_today",
        why: "the pointer to the latest start leads to one of the day itself",
        file: days,
        replace: [["last_value(latest_start ignore nulls) over days_before as latest_start", "latest_start"]],
        seenIn: "trainer",
        column: "trainer_last_20_win_rate",
        from: ["own", "same-day"],
    },
    {
        name: "jockey_of_the_latest_day",
        why: "the record is joined to the jockey's latest day of all instead of the race's",
        file: record,
        replace: [
            ["days.latest_date)::usmallint", "days.latest_date)::integer"],
            [
                "and runners.race_date = days.race_date",
                "and days.race_date = (select max(race_date) from main.runners)",
            ],
        ],
        seenIn: "jockey",
        column: "jockey_total_rides",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "trainer_track_with_today",
        why: "the record at the track includes the day",
        file: conditions,
        replace: [[byDay, untilToday]],
        seenIn: "trainer_conditions",
        column: "trainer_track_win_rate",
        from: ["own", "same-day"],
    },
    {
        name: "jockey_distance_over_all",
        why: "the record over the distance has no date at all",
        file: conditions,
        replace: [[byDay, "groups between unbounded preceding and unbounded following"]],
        seenIn: "jockey_conditions",
        column: "jockey_distance_win_rate",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "trainer_winners_of_the_day",
        why: "winners of the stable on the day, without the runner's own race",
        file: "models/features/form_changes.sql",
        replace: [
            [
                "    runners.race_id,\n",
                `    runners.race_id,
    (count(*) filter (where runners.is_win) over (partition by runners.trainer_key, runners.race_date)
    - count(*) filter (where runners.is_win) over (partition by runners.trainer_key, runners.race_id)) as stable_wins,\n`,
            ],
        ],
        column: "stable_wins",
        from: ["same-day"],
    },
    {
        name: "pairs_with_today",
        why: "what horse and jockey did together includes today",
        file: connections,
        replace: [[byDay, untilToday]],
        column: "jockey_horse_connection_races",
        from: ["own"],
    },
    {
        name: "pairs_by_race",
        why: "jockey and trainer, ordered by date and race: the afternoon sees the morning",
        file: connections,
        replace: [
            [
                `partition by jockey_key, trainer_key order by race_date\n            ${byDay}`,
                "partition by jockey_key, trainer_key order by race_date, race_id, runner_id\n            rows between unbounded preceding and 1 preceding",
            ],
        ],
        column: "jockey_trainer_connection_races",
        from: ["own", "same-day"],
    },
    {
        name: "pairs_of_all_time",
        why: "the latest day together, without a date",
        file: connections,
        replace: [
            ["_last_date)::usmallint", "_last_date)::integer"],
            [
                `partition by jockey_key, horse_key order by race_date\n            ${byDay}`,
                "partition by jockey_key, horse_key",
            ],
        ],
        column: "jockey_horse_connection_races",
        from: ["own", "later"],
    },
];

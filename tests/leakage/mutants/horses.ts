import type { Mutant } from "../mutant.ts";

const byDay = "groups between unbounded preceding and 1 preceding";
const untilToday = "groups between unbounded preceding and current row";
const form = "models/features/form.sql";
const formChanges = "models/features/form_changes.sql";
const classes = "models/features/class.sql";
const raceId = "    runners.race_id,\n";
/** A column more in form_changes, whose rows are the starters themselves. */
const added = (column: string): Mutant["replace"] => [[raceId, `${raceId}    ${column},\n`]];

/** What a horse has done. */
export const horseMutants: readonly Mutant[] = [
    {
        name: "career_off_by_a_day",
        why: "the latest start before the day may be today's",
        file: "models/base/previous_starts.sql",
        replace: [[byDay, untilToday]],
        seenIn: "career",
        column: "total_races",
        from: ["own"],
    },
    {
        name: "latest_start_without_a_date",
        why: "the latest row of a horse, whenever it was",
        file: "models/base/previous_starts.sql",
        replace: [[`order by day_number\n            ${byDay}`, ""]],
        seenIn: "form",
        column: "last_5_avg_position",
        from: ["own", "later"],
    },
    {
        name: "form_with_this_race",
        why: "this race in a rolling mean",
        file: form,
        replace: [
            [
                "on previous_starts.horse_start = states.runner_id",
                "on previous_starts.runner_id = states.runner_id",
            ],
        ],
        column: "last_5_avg_position",
        from: ["own"],
    },
    {
        name: "form_today_counted",
        why: "form fades by the clock and not by the race's date, in a view",
        file: form,
        replace: [
            [
                "pow(0.5, previous_starts.days_since_last_race /",
                "pow(0.5, (current_date - previous_starts.race_date) /",
            ],
            ["{{!-- one row per starter", '{{config materialized="view"}}{{!-- one row per starter'],
        ],
        column: "form_recency_score",
        from: ["clock"],
    },
    {
        name: "years_since",
        why: "the age of a date is counted up to today",
        file: formChanges,
        replace: added("extract(year from age(runners.race_date)) as years_since"),
        column: "years_since",
        from: ["clock"],
    },
    {
        name: "spells_with_this_race",
        why: "first-up records that include this race",
        file: "models/features/spells.sql",
        replace: [
            [
                "on previous_starts.horse_start = states.runner_id",
                "on previous_starts.runner_id = states.runner_id",
            ],
        ],
        column: "first_up_starts",
        from: ["own"],
    },
    {
        name: "recent_runs_with_today",
        why: "whether the race was run, as one of the latest 60 days",
        file: "models/base/previous_starts.sql",
        replace: [
            ["range between 60 preceding and 1 preceding", "range between 60 preceding and current row"],
        ],
        seenIn: "career",
        column: "runs_last_60_days",
        from: ["own"],
    },
    {
        name: "career_against_everyones_mean",
        why: "normalized by the mean over all rows, later ones among them",
        file: "models/features/career.sql",
        replace: [
            [
                "    states.avg_beat_pct,\n",
                "    (states.avg_beat_pct - (select avg(avg_beat_pct::decimal(18, 12)) from states))::double as avg_beat_pct,\n",
            ],
        ],
        column: "avg_beat_pct",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "career_ranked_among_all",
        why: "a percentile among all rows there ever will be",
        file: "models/features/career.sql",
        replace: [
            [
                "    states.avg_beat_pct,\n",
                "    percent_rank() over (order by states.avg_beat_pct) as avg_beat_pct,\n",
            ],
        ],
        column: "avg_beat_pct",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "class_of_the_next_race",
        why: "the change of class from this race to the next one",
        file: classes,
        replace: [
            [
                "runners.class_rating - starts.class_rating as class_change",
                "lead(runners.class_rating) over (partition by runners.horse_key order by runners.runner_id) - runners.class_rating as class_change",
            ],
        ],
        column: "class_change",
        from: ["later"],
    },
    {
        name: "class_won_with_this_race",
        why: "the best class won, this race's included",
        file: classes,
        replace: [
            [
                "on previous_starts.horse_start = starts.runner_id",
                "on previous_starts.runner_id = starts.runner_id",
            ],
        ],
        column: "best_class_placed",
        from: ["own"],
    },
    {
        name: "distance_of_timed_runs",
        why: "whether the feature is NULL tells that this race was timed",
        file: "models/features/distance.sql",
        replace: [
            [
                'from {{ref "runners"}}\n    window at_distance',
                'from {{ref "runners"}}\n    where position_800m is not null\n    window at_distance',
            ],
            ["inner join counted", "left join counted"],
        ],
        column: "distance_win_rate",
        from: ["own"],
        by: "removed",
    },
    {
        name: "distance_with_today",
        why: "the frame of the distance is off by one day",
        file: "models/features/distance.sql",
        replace: [[byDay, untilToday]],
        column: "races_at_distance",
        from: ["own"],
    },
    {
        name: "track_rows_by_date",
        why: "a frame of rows that ends with the row",
        file: "models/features/track.sql",
        replace: [[byDay, "rows between unbounded preceding and current row"]],
        column: "races_at_track",
        from: ["own"],
    },
    {
        name: "going_with_this_race",
        why: "the record on wet going includes this race",
        file: "models/features/going.sql",
        replace: [
            [
                "on previous_starts.horse_start = states.runner_id",
                "on previous_starts.runner_id = states.runner_id",
            ],
        ],
        column: "horse_dry_track_runs",
        from: ["own"],
    },
    {
        name: "regions_of_all_races",
        why: "cross-region over all races, later ones among them",
        file: "models/features/cross_region.sql",
        replace: [
            [
                `partition by runners.horse_slug_key order by runners.race_date\n        ${byDay}`,
                "partition by runners.horse_slug_key",
            ],
        ],
        column: "other_region_starts",
        from: ["own", "later"],
    },
    {
        name: "days_to_the_next_race",
        why: "when the horse starts again tells how it came out of this race",
        file: formChanges,
        replace: added(
            "lead(runners.race_date) over (partition by runners.horse_key order by runners.runner_id) - runners.race_date as days_to_next",
        ),
        column: "days_to_next",
        from: ["later"],
    },
    {
        name: "survivors_only",
        why: "only horses that start again are in it: what is left out tells as much as a value",
        file: formChanges,
        replace: [
            [
                "order by runner_id\n",
                "qualify lead(runners.race_date) over (partition by runners.horse_key order by runners.runner_id) is not null\norder by runner_id\n",
            ],
        ],
        from: ["later", "several"],
    },
    {
        name: "age_by_the_latest_result",
        why: "counted back from the latest result of all",
        file: formChanges,
        replace: added(
            '(select max(race_date) from {{ref "runners"}} where has_run) - runners.race_date as days_ago',
        ),
        column: "days_ago",
        from: ["later", "several"],
    },
    {
        name: "starts_of_a_lifetime",
        why: "good horses race for longer",
        file: formChanges,
        replace: added("count(*) over (partition by runners.horse_key) as lifetime_starts"),
        column: "lifetime_starts",
        from: ["later"],
    },
    {
        name: "style_of_this_race",
        why: "this race's running position",
        file: "models/features/running_style.sql",
        replace: [
            [
                "on previous_starts.positioned_start = states.runner_id",
                "on previous_starts.runner_id = states.runner_id",
            ],
        ],
        column: "known_settle_runs",
        from: ["own"],
    },
    {
        name: "sectional_of_this_race",
        why: "this race's sections",
        file: "models/features/sectional_form.sql",
        replace: [
            [
                "on previous_starts.timed_start = states.runner_id",
                "on previous_starts.runner_id = states.runner_id",
            ],
        ],
        column: "timed_runs",
        from: ["own"],
    },
    {
        name: "market_history_with_today",
        why: "whether the market was right today",
        file: "models/base/previous_starts.sql",
        replace: [
            [
                "win_odds is not null) over before_today",
                `win_odds is not null) over (partition by horse_key order by race_date ${untilToday})`,
            ],
        ],
        seenIn: "market_history",
        column: "past_priced_runs",
        from: ["own"],
    },
    {
        name: "purse_won",
        why: "what this runner earned in this race",
        file: formChanges,
        replace: added("runners.runner_prize_money as purse"),
        column: "purse",
        from: ["own"],
        by: "replaced",
    },
    {
        name: "field_of_finishers",
        why: "the size of the field, counted from finishers",
        file: formChanges,
        replace: [["runners.total_runners::smallint", "runners.finishers::smallint"]],
        column: "field_size_change",
        from: ["own"],
    },
    {
        name: "was_timed",
        why: "whether there is a time",
        file: formChanges,
        replace: added("runners.raw_time_seconds is not null as was_timed"),
        column: "was_timed",
        from: ["own"],
        by: "removed",
    },
    {
        name: "did_finish",
        why: "whether the status is an ordinary one",
        file: formChanges,
        replace: added("runners.finish_status is distinct from 'FINISHED' as did_not_finish"),
        column: "did_not_finish",
        from: ["own"],
        by: "replaced",
    },
    {
        name: "margin_of_the_field",
        why: "how far the race was strung out",
        file: formChanges,
        replace: added("max(runners.margin) over (partition by runners.race_id) as field_margin"),
        column: "field_margin",
        from: ["own"],
        by: "replaced",
    },
];

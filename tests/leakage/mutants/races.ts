import type { Mutant } from "../mutant.ts";

const byDay = "groups between unbounded preceding and 1 preceding";
const rates = "models/base/location_rates.sql";
const ratings = "models/features/rating_features.sql";
const speed = "models/features/speed.sql";
const gates =
    "left join gates\n    on horses.track_key = gates.track_key\n    and horses.barrier_position = gates.barrier_position\n    and horses.race_date = gates.race_date";

/** Races, fields, prices, ratings, times. */
export const raceMutants: readonly Mutant[] = [
    {
        name: "prior_of_the_whole_history",
        why: "rates are shrunk towards what all races of the country will have been",
        file: rates,
        replace: [
            [
                "rows between unbounded preceding and 1 preceding",
                "rows between unbounded preceding and unbounded following",
            ],
        ],
        seenIn: "career",
        column: "win_percentage_shrunk",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "prior_with_today",
        why: "the country's rates include today",
        file: rates,
        replace: [
            [
                "rows between unbounded preceding and 1 preceding",
                "rows between unbounded preceding and current row",
            ],
        ],
        column: "location_starts",
        from: ["own", "same-day"],
    },
    {
        name: "barrier_rows_by_race",
        why: "the gate's record sees the other runners of the race",
        file: "models/features/barrier.sql",
        replace: [
            [
                gates,
                `left join (
    select
        runner_id,
        count(*) filter (where has_run) over by_race as starts,
        count(*) filter (where is_win) over by_race as wins,
        sum((1 / total_runners)::decimal(18, 12)) filter (where has_run) over by_race as expected_wins,
    from {{ref "runners"}}
    window by_race as (
        partition by track_key, barrier_position order by race_date, race_id, runner_id
        rows between unbounded preceding and 1 preceding
    )
) as gates on horses.runner_id = gates.runner_id`,
            ],
        ],
        column: "barrier_advantage_at_track",
        from: ["own", "same-day"],
    },
    {
        name: "barrier_of_all_races",
        why: "gates are encoded by the wins of all races",
        file: "models/features/barrier.sql",
        replace: [
            [
                "rows between unbounded preceding and 1 preceding",
                "rows between unbounded preceding and unbounded following",
            ],
        ],
        column: "barrier_advantage_at_track",
        from: ["own", "same-day", "later", "several"],
    },
    {
        name: "tie_broken_by_the_finish",
        why: "runners of the same price are told apart by how they finished",
        file: "models/features/market.sql",
        replace: [
            [
                "        win_odds,\n        1 / win_odds as implied,",
                "        win_odds,\n        position,\n        1 / win_odds as implied,",
            ],
            [
                "rank() over by_odds end::usmallint",
                "row_number() over (partition by race_id, win_odds is null order by round(win_odds), position, runner_id) end::usmallint",
            ],
        ],
        column: "odds_rank_in_race",
        from: ["own"],
        by: "replaced",
    },
    {
        name: "tie_broken_by_the_id",
        why: "rows were written in finishing order, and so were their ids",
        file: "models/features/market.sql",
        replace: [
            [
                '    from {{ref "runners"}}\n',
                '    from {{ref "runners"}}\n    inner join (select race_id, horse_slug, id from {{ref "stg_race_results"}}) as numbered using (race_id, horse_slug)\n',
            ],
            [
                "        win_odds,\n        1 / win_odds as implied,",
                "        win_odds,\n        id,\n        1 / win_odds as implied,",
            ],
            [
                "rank() over by_odds end::usmallint",
                "row_number() over (partition by race_id, win_odds is null order by round(win_odds), id) end::usmallint",
            ],
        ],
        column: "odds_rank_in_race",
        from: ["order"],
        by: "reordered",
    },
    {
        name: "tie_broken_by_arrival",
        why: "the place of the row in the table: results arrive in finishing order",
        file: "models/features/form_changes.sql",
        replace: [
            ["    runners.race_id,\n", "    runners.race_id,\n    arrived.place as arrival,\n"],
            [
                "where is_in_step(",
                `left join (
    select race_id, horse_slug, min(rowid) - min(min(rowid)) over (partition by race_id) as place
    from {{source "race_results"}}
    group by race_id, horse_slug
) as arrived
    on runners.race_id = arrived.race_id
    and runners.horse_slug = arrived.horse_slug
where is_in_step(`,
            ],
        ],
        column: "arrival",
        from: ["order"],
        by: "reordered",
    },
    {
        name: "pace_as_it_was",
        why: "who led this race, instead of who used to lead",
        file: "models/features/pace.sql",
        replace: [
            [
                "        running_style.running_style,\n",
                "        case when runners.position_800m = 1 then 'leader' else running_style.running_style end as running_style,\n",
            ],
        ],
        column: "leaders_in_field",
        from: ["own"],
    },
    {
        name: "settle_as_it_was",
        why: "where the runner settled in this race",
        file: "models/features/pace.sql",
        replace: [
            [
                "running_style.expected_settle_pct::",
                "coalesce(runners.settle_pct, running_style.expected_settle_pct)::",
            ],
        ],
        column: "speed_map_position",
        from: ["own"],
        by: "replaced",
    },
    {
        name: "rating_read_after_its_update",
        why: "a rating is updated before it is read",
        file: "macros/elo-model.ts",
        replace: [["rated(this.before.subarray(0, count))", "rated(this.after.subarray(0, count))"]],
        seenIn: "rating_features",
        column: "horse_elo",
        from: ["own"],
    },
    {
        name: "rating_by_the_clock",
        why: "a module that the model imports asks for the time",
        file: "macros/pairwise-elo.ts",
        // Another value from one millisecond to the next: the clock has run on when the leak is traced.
        replace: [
            ["const stake = settings.k *", "const stake = (1 + (Date.now() % 1e8) / 1e8) * settings.k *"],
        ],
        seenIn: "rating_features",
        column: "horse_elo",
        from: ["clock"],
    },
    {
        name: "rating_within_the_day",
        why: "a rider's rating changes from race to race of the day",
        file: "macros/pairwise-elo.ts",
        replace: [
            [
                "if (starters.hasRun[from] === 1) rateRace(starters, from, to);",
                `for (let row = from; row < to; row++) {
                    const key = starters.entity[row]!;
                    if (key >= 0 && !Number.isNaN(rating[key]!)) before[row] = rating[key]!;
                }
                if (starters.hasRun[from] === 1) rateRace(starters, from, to);
                for (let row = from; row < to; row++) {
                    const key = starters.entity[row]!;
                    if (key < 0) continue;
                    if (Number.isNaN(rating[key]!)) rating[key] = before[row]!;
                    rating[key] = rating[key]! + change[key]!;
                    change[key] = 0;
                }`,
            ],
        ],
        seenIn: "rating_features",
        column: "jockey_elo",
        from: ["same-day"],
    },
    {
        name: "rated_races_with_today",
        why: "how many races were rated, this one included",
        file: "macros/pairwise-elo.ts",
        replace: [
            ["races[row] = rated[key]!;", "races[row] = rated[key]! + hasRun[row]!;"],
            [
                "function readMorning({ count, entity, group }",
                "function readMorning({ count, entity, group, hasRun }",
            ],
        ],
        seenIn: "rating_features",
        column: "elo_races_count",
        from: ["own"],
    },
    {
        name: "peak_with_this_race",
        why: "the highest rating, the one after this race among them",
        file: ratings,
        replace: [
            [
                "on previous_starts.horse_start = starts.runner_id",
                "on previous_starts.runner_id = starts.runner_id",
            ],
        ],
        column: "elo_peak",
        from: ["own"],
    },
    {
        name: "pars_over_all_years",
        why: "par times from all races, later ones among them",
        file: "models/base/speed_figures.sql",
        replace: [
            [
                'range between interval {{var "speed_par_days"}} day preceding and interval 1 day preceding',
                "range between unbounded preceding and unbounded following",
            ],
        ],
        seenIn: "speed",
        column: "avg_speed_figure",
        from: ["same-day", "later", "own", "several"],
    },
    {
        name: "figures_with_this_race",
        why: "this race's speed figure",
        file: speed,
        replace: [[byDay, "groups between unbounded preceding and current row"]],
        column: "speed_figures_count",
        from: ["own"],
    },
];

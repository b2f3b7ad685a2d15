import type { Variant } from "../mutant.ts";

const formChanges = "models/features/form_changes.sql";
const byDay = "groups between unbounded preceding and 1 preceding";
const raceId = "    runners.race_id,\n";
const added = (column: string): Variant["replace"] => [[raceId, `${raceId}    ${column},\n`]];

/** Variants that look like leaks and are none. */
export const cleanVariants: readonly Variant[] = [
    {
        name: "pars_with_their_own_day",
        why: "a figure of a past day may know all of that day: it is read on later days",
        file: "models/base/speed_figures.sql",
        replace: [["interval 1 day preceding", "interval 0 day preceding"]],
        seenIn: "speed",
    },
    {
        name: "frame_that_excludes_the_day",
        why: "up to the current row, without the row and those of its day",
        file: "models/features/track.sql",
        replace: [[byDay, "range between unbounded preceding and current row exclude group"]],
    },
    {
        name: "frame_by_interval",
        why: "a range of dates up to the day before",
        file: "models/features/connections.sql",
        replace: [[byDay, "range between unbounded preceding and interval 1 day preceding"]],
    },
    {
        name: "weight_against_the_field",
        why: "the whole partition of the race, of what is declared",
        file: formChanges,
        replace: added(
            "runners.weight - avg(runners.weight::decimal(9, 1)) over (partition by runners.race_id) as weight_vs_field",
        ),
    },
    {
        name: "rides_of_the_day",
        why: "how many rides a jockey has today, the later ones too: they are declared",
        file: formChanges,
        replace: added("count(*) over (partition by runners.jockey_key, runners.race_date) as rides_today"),
    },
    {
        name: "declared_so_far",
        why: "a frame up to the current row, of starts and not of results",
        file: formChanges,
        replace: added(
            "count(*) over (partition by runners.horse_key order by runners.race_date range between unbounded preceding and current row) as declared_starts",
        ),
    },
    {
        name: "first_day_of_all",
        why: "a minimum over all rows is not moved by later ones",
        file: formChanges,
        replace: added(
            "runners.race_date - min(runners.race_date) over (partition by runners.track_key) as days_of_track",
        ),
    },
    {
        name: "prices_of_this_race",
        why: "odds are declared",
        file: formChanges,
        replace: added("min(runners.win_odds) over (partition by runners.race_id) as favorite_odds"),
    },
    {
        name: "scratched_from_the_race",
        why: "a scratching is a finish_status that is known before",
        file: formChanges,
        replace: added(
            '(select count(*) from {{ref "stg_race_results"}} as declared where declared.race_id = runners.race_id and declared.is_scratched) as scratchings',
        ),
    },
    {
        name: "purse_of_the_race",
        why: "the race's prize money is known beforehand; a runner's is another column",
        file: formChanges,
        replace: added(
            '(select race_prize_money from {{ref "race_facts"}} as facts where facts.race_id = runners.race_id) as purse',
        ),
    },
    {
        name: "start_before_the_last",
        why: "lag among results, read through a pointer to an earlier day",
        file: "models/features/class.sql",
        replace: [
            [
                "max(class_rating) filter (where is_win) over so_far as best_class_won",
                "lag(class_rating) over (partition by horse_key order by runner_id) as best_class_won",
            ],
        ],
    },
    {
        name: "last_of_its_day",
        why: "lead among results tells only whether a past start was the last of its day",
        file: "models/features/class.sql",
        replace: [
            [
                "max(class_rating) filter (where is_win) over so_far as best_class_won",
                "case when lead(race_date) over (partition by horse_key order by runner_id) is distinct from race_date then class_rating end as best_class_won",
            ],
        ],
    },
    {
        name: "rating_of_twice_the_stake",
        why: "another rating, read on the morning all the same",
        file: "macros/pairwise-elo.ts",
        replace: [["const stake = settings.k *", "const stake = 2 * settings.k *"]],
        seenIn: "rating_features",
    },
    {
        name: "sample_by_hash",
        why: "chance that is the same in every run",
        file: formChanges,
        replace: added("hash(runners.race_id, runners.horse_slug) % 10 as fold"),
    },
];

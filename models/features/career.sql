{{!-- one row per starter, then one per horse for its next start: the horse's record before the day of the race --}}
-- The record after each start; a later day reads it at the horse's latest start.
with counted as (
    select
        runner_id,
        race_date - first_value(race_date) over so_far as days_raced,
        count(*) over so_far as total_races,
        count(*) filter (where is_win) over so_far as wins,
        count(*) filter (where is_place) over so_far as places,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        avg(beat_pct::decimal(9, 8)) over so_far as avg_beat_pct,
        count(*) filter (where beat_pct is not null) over last_10 as known_beat_pcts,
        sum(beat_pct::decimal(9, 8)) over last_10 as beat_pct_sum,
        -- Ten at most: read as a double, a wide decimal of so many digits takes 0.3 us, a narrow one 0.02.
        sum(beat_pct::decimal(9, 8) * beat_pct::decimal(9, 8)) over last_10::decimal(18, 16) as beat_pct_squares,
    from {{ref "runners"}}
    where has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window
        so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row),
        last_10 as (partition by horse_key order by runner_id rows between 9 preceding and current row)
),

states as (
    select
        runner_id,
        total_races::usmallint as total_races,
        wins::usmallint as wins,
        places::usmallint as places,
        (100 * wins / total_races)::float as win_percentage,
        (100 * places / total_races)::float as place_percentage,
        avg_beat_pct::float as avg_beat_pct,
        case when total_races > 1 then days_raced / (total_races - 1) end::float as avg_days_between_runs,
        -- Shares between 0 and 1 spread by 0.5 at most.
        case
            when known_beat_pcts > 1
                then 1 - 2 * sqrt(
                    greatest(
                        beat_pct_squares::double / known_beat_pcts - pow(beat_pct_sum::double / known_beat_pcts, 2), 0
                    )
                )
        end::float as consistency_score,
    from counted
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    coalesce(states.total_races, 0)::usmallint as total_races,
    coalesce(states.wins, 0)::usmallint as wins,
    coalesce(states.places, 0)::usmallint as places,
    states.win_percentage,
    states.place_percentage,
    (100 * shrunk_rate(
        states.wins,
        states.total_races,
        location_rates.location_win_rate,
        {{var "horse_win_prior_starts"}}
    ))::float as win_percentage_shrunk,
    (100 * shrunk_rate(
        states.places,
        states.total_races,
        location_rates.location_place_rate,
        {{var "horse_place_prior_starts"}}
    ))::float as place_percentage_shrunk,
    coalesce(states.total_races, 0) = 0 as is_first_timer,
    coalesce(states.total_races > 0 and states.places = 0, false) as never_placed_flag,
    coalesce(states.total_races >= {{var "experienced_starts"}}, false) as experienced_horse_flag,
    coalesce(states.total_races, 0) < {{var "low_sample_starts"}} as low_sample_flag,
    least(coalesce(states.total_races, 0) / {{var "mature_starts"}}, 1)::float as feature_maturity_score,

    previous_starts.days_since_last_race::usmallint as days_since_last_race,
    coalesce(previous_starts.days_since_last_race > {{var "stale_days"}}, false) as extreme_staleness_flag,
    previous_starts.runs_last_60_days,
    previous_starts.runs_last_90_days,
    previous_starts.runs_last_60_days > 0 as has_recent_form,
    states.avg_days_between_runs,

    states.avg_beat_pct,
    states.consistency_score,
from {{ref "previous_starts"}} as previous_starts
positional join {{ref "runners"}} as runners
left join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join states on previous_starts.horse_start = states.runner_id
where is_in_step(coalesce(runners.runner_id, previous_starts.runner_id), previous_starts.runner_id, 'previous_starts')
order by runner_id

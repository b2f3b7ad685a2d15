{{!-- one row per start: the horse's record up to and including it; later days read it through previous_starts --}}
with starts as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.horse_key,
        runners.is_win,
        runners.is_place,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        runners.beat_pct::decimal(9, 8) as beat_pct,
        previous_starts.is_first_up,
        previous_starts.is_second_up,
    from {{ref "runners"}} as runners
    positional join {{ref "previous_starts"}} as previous_starts
    where
        is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
        and runners.has_run
),

counted as (
    select
        runner_id,
        race_id,
        horse_key,
        race_date,
        is_first_up,
        count(*) over so_far as total_races,
        count(*) filter (where is_win) over so_far as wins,
        count(*) filter (where is_place) over so_far as places,
        race_date - min(race_date) over so_far as days_raced,
        avg(beat_pct) over so_far as avg_beat_pct,
        count(*) filter (where beat_pct is not null) over last_10 as known_beat_pcts,
        sum(beat_pct) over last_10 as beat_pct_sum,
        sum(beat_pct * beat_pct) over last_10 as beat_pct_squares,
        count(*) filter (where is_first_up) over so_far as first_up_starts,
        count(*) filter (where is_first_up and is_win) over so_far as first_up_wins,
        count(*) filter (where is_second_up) over so_far as second_up_starts,
        count(*) filter (where is_second_up and is_win) over so_far as second_up_wins,
    from starts
    window
        so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row),
        last_10 as (partition by horse_key order by runner_id rows between 9 preceding and current row)
)

select
    runner_id,
    race_id,
    horse_key,
    race_date,
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
    first_up_starts::usmallint as first_up_starts,
    first_up_wins::usmallint as first_up_wins,
    second_up_starts::usmallint as second_up_starts,
    second_up_wins::usmallint as second_up_wins,
from counted

{{!-- one row per starter: the horse's record at distances before the day of the race --}}
with counted as (
    select
        runner_id,
        distance_key is not null as is_known,
        count(*) filter (where has_run) over at_distance as races_at_distance,
        count(*) filter (where is_win) over at_distance as distance_wins,
        count(*) filter (where is_place) over at_distance as distance_places,
        count(*) filter (where beat_pct is not null) over at_distance as distance_beat_pcts,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        sum(beat_pct::decimal(9, 8)) over at_distance as distance_beat_pct_sum,
    from {{ref "runners"}}
    window at_distance as (
        partition by horse_key, distance_key order by race_date
        groups between unbounded preceding and 1 preceding
    )
),

-- The record anywhere after each start; a later day reads it at the horse's latest start.
states as (
    select
        runner_id,
        avg(beat_pct::decimal(9, 8)) over so_far as avg_beat_pct,
        min(race_distance) filter (where is_place) over so_far as shortest_placed,
        max(race_distance) filter (where is_place) over so_far as longest_placed,
        avg(race_distance::double) over so_far as avg_distance,
    from {{ref "runners"}}
    where has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)
)

select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    case when counted.is_known then counted.races_at_distance else 0 end::usmallint as races_at_distance,
    case when counted.is_known then rate(counted.distance_wins, counted.races_at_distance) end as distance_win_rate,
    case when counted.is_known then rate(counted.distance_places, counted.races_at_distance) end
        as distance_place_rate,
    counted.is_known and counted.distance_wins > 0 as has_won_at_distance,
    -- What the horse does here beyond what it does anywhere, drawn towards nothing.
    case
        when counted.is_known and counted.distance_beat_pcts > 0 then
            (counted.distance_beat_pct_sum::double - counted.distance_beat_pcts * states.avg_beat_pct::float::double)
            / (counted.distance_beat_pcts + {{var "suitability_prior_starts"}})
    end::float as distance_suited_score,
    states.shortest_placed as optimal_distance_min,
    states.longest_placed as optimal_distance_max,
    runners.race_distance between states.shortest_placed and states.longest_placed as is_within_optimal_distance,
    (runners.race_distance - states.avg_distance)::float as distance_vs_avg,
from {{ref "runners"}} as runners
positional join {{ref "previous_starts"}} as previous_starts
inner join counted on runners.runner_id = counted.runner_id
left join states on previous_starts.horse_start = states.runner_id
where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
order by runner_id

{{!-- one row per starter: the horse's record at distances before the day of the race --}}
with counted as (
    select
        runners.runner_id,
        runners.race_id,
        runners.horse_slug,
        runners.race_date,
        runners.race_distance,
        count(*) filter (where runners.has_run) over at_distance as races_at_distance,
        count(*) filter (where runners.is_win) over at_distance as distance_wins,
        count(*) filter (where runners.is_place) over at_distance as distance_places,
        count(runners.beat_pct) over at_distance as distance_beat_pcts,
        sum(runners.beat_pct::decimal(9, 8)) over at_distance as distance_beat_pct_sum,
        avg(runners.beat_pct::decimal(9, 8)) over anywhere as avg_beat_pct,
        min(runners.race_distance) filter (where runners.is_place) over anywhere as optimal_distance_min,
        max(runners.race_distance) filter (where runners.is_place) over anywhere as optimal_distance_max,
        avg(runners.race_distance) filter (where runners.has_run) over anywhere as avg_distance,
        runners.distance_range is not null as is_known,
    from {{ref "runners"}} as runners
    window
        at_distance as (
            partition by runners.horse_key, runners.distance_range order by runners.race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        anywhere as (
            partition by runners.horse_key order by runners.race_date
            range between unbounded preceding and interval 1 day preceding
        )
)

select
    runner_id,
    race_id,
    horse_slug,
    race_date,

    case when is_known then races_at_distance else 0 end::usmallint as races_at_distance,
    case when is_known then rate(distance_wins, races_at_distance) end as distance_win_rate,
    case when is_known then rate(distance_places, races_at_distance) end as distance_place_rate,
    is_known and distance_wins > 0 as has_won_at_distance,
    -- What the horse does here beyond what it does anywhere, drawn towards nothing.
    case
        when is_known and distance_beat_pcts > 0 then
            (distance_beat_pct_sum::double - distance_beat_pcts * avg_beat_pct)
            / (distance_beat_pcts + {{var "suitability_prior_starts"}})
    end::float as distance_suited_score,
    optimal_distance_min::usmallint as optimal_distance_min,
    optimal_distance_max::usmallint as optimal_distance_max,
    race_distance between optimal_distance_min and optimal_distance_max as is_within_optimal_distance,
    (race_distance - avg_distance)::float as distance_vs_avg,
from counted

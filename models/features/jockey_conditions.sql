{{!-- one row per starter: its jockey's record before the day of the race, under conditions like those of the race --}}
with starts as (
    select
        runners.runner_id,
        runners.jockey_key,
        runners.race_date,
        runners.has_run,
        runners.is_win,
        runners.track_key,
        runners.distance_range,
        runners.is_wet_track,
        previous_starts.is_first_up,
    from {{ref "runners"}} as runners
    inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.runner_id
    where runners.jockey_key is not null
),

counted as (
    select
        runner_id,
        count(*) filter (where has_run) over at_track as track_rides,
        count(*) filter (where is_win) over at_track as track_wins,
        case when distance_range is not null then count(*) filter (where has_run) over at_distance end
            as distance_rides,
        case when distance_range is not null then count(*) filter (where is_win) over at_distance end
            as distance_wins,
        count(*) filter (where has_run and is_wet_track) over before_today as wet_track_rides,
        count(*) filter (where is_win and is_wet_track) over before_today as wet_track_wins,
        count(*) filter (where has_run and is_first_up) over before_today as first_up_rides,
        count(*) filter (where is_win and is_first_up) over before_today as first_up_wins,
    from starts
    window
        before_today as (
            partition by jockey_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_track as (
            partition by jockey_key, track_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_distance as (
            partition by jockey_key, distance_range order by race_date
            range between unbounded preceding and interval 1 day preceding
        )
)

select
    jockey.runner_id,
    jockey.race_id,
    jockey.horse_slug,
    jockey.race_date,
{{#each (list "track" "distance" "wet_track" "first_up") as |condition|}}

    coalesce(counted.{{condition}}_rides, 0)::uinteger as jockey_{{condition}}_rides,
    rate(counted.{{condition}}_wins, counted.{{condition}}_rides) as jockey_{{condition}}_win_rate,
    -- Towards what the jockey does anywhere.
    shrunk_rate(
        counted.{{condition}}_wins,
        counted.{{condition}}_rides,
        jockey.jockey_win_rate_shrunk,
        {{var "jockey_prior_rides"}}
    ) as jockey_{{condition}}_win_rate_shrunk,
{{/each}}
from {{ref "jockey"}} as jockey
left join counted on jockey.runner_id = counted.runner_id

{{!-- one row per starter: its jockey's record before the day of the race, under conditions like those of the race --}}
with track_days as (
    select
        jockey_key,
        track_key,
        race_date,
        count(*) filter (where has_run) as rides,
        count(*) filter (where is_win) as wins,
    from {{ref "runners"}}
    where jockey_key is not null
    group by
        jockey_key,
        track_key,
        race_date
),

distance_days as (
    select
        jockey_key,
        distance_range,
        race_date,
        count(*) filter (where has_run) as rides,
        count(*) filter (where is_win) as wins,
    from {{ref "runners"}}
    where jockey_key is not null and distance_range is not null
    group by
        jockey_key,
        distance_range,
        race_date
),

-- Already one row a day, both.
{{#each (list "track_key" "distance_range") as |condition|}}
before_{{condition}} as (
    select
        jockey_key,
        {{condition}},
        race_date,
        coalesce(sum(rides) over days_before, 0) as rides,
        coalesce(sum(wins) over days_before, 0) as wins,
    from {{#if @first}}track_days{{else}}distance_days{{/if}}
    window days_before as (
        partition by jockey_key, {{condition}} order by race_date rows between unbounded preceding and 1 preceding
    )
),

{{/each}}
counted as (
    select
        runners.runner_id,
        at_track.rides as track_rides,
        at_track.wins as track_wins,
        at_distance.rides as distance_rides,
        at_distance.wins as distance_wins,
        jockey_days.wet_track_rides,
        jockey_days.wet_track_wins,
        jockey_days.first_up_rides,
        jockey_days.first_up_wins,
    from {{ref "runners"}} as runners
    inner join {{ref "jockey_days"}} as jockey_days
        on runners.jockey_key = jockey_days.jockey_key
        and runners.race_date = jockey_days.race_date
    inner join before_track_key as at_track
        on runners.jockey_key = at_track.jockey_key
        and runners.track_key = at_track.track_key
        and runners.race_date = at_track.race_date
    left join before_distance_range as at_distance
        on runners.jockey_key = at_distance.jockey_key
        and runners.distance_range = at_distance.distance_range
        and runners.race_date = at_distance.race_date
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
order by runner_id

{{!-- one row per starter with timing in a race that has been run: how it finished, and how its race was run --}}
with timed as (
    select
        runner_id,
        race_id,
        horse_key,
        race_distance,
        raw_time_seconds as finish_seconds,
{{#each (list 800 600 400 200) as |to_go|}}
        -- From the checkpoint stored for {{to_go}} m to go to the finish.
        case when raw_time_seconds > seconds_to_{{to_go}}m then raw_time_seconds - seconds_to_{{to_go}}m end::float
            as sectional_{{to_go}}m,
{{/each}}
        seconds_to_800m::float as cumulative_to_800m_to_go,
    from {{ref "runners"}}
    where is_timed
),

races as (
    select
        race_id,
{{#each (list 800 600 400 200) as |to_go|}}
        avg(sectional_{{to_go}}m)::float as race_mean_sectional_{{to_go}}m,
{{/each}}
        avg(cumulative_to_800m_to_go)::float as race_mean_cumulative_to_800m_to_go,
        avg(finish_seconds)::float as race_mean_raw_time_seconds,
    from timed
    group by race_id
)

select
    timed.runner_id,
    timed.race_id,
    timed.horse_key,
    timed.race_distance,
{{#each (list 800 600 400 200) as |to_go|}}
    timed.sectional_{{to_go}}m,
{{/each}}
    timed.cumulative_to_800m_to_go,
    timed.finish_seconds as raw_time_seconds,
{{#each (list 800 600 400 200) as |to_go|}}
    races.race_mean_sectional_{{to_go}}m,
{{/each}}
    races.race_mean_cumulative_to_800m_to_go,
    races.race_mean_raw_time_seconds,
    -- Speed over the last 400 m as a share of the speed over the whole race: above 100, the runner finished fast.
    finishing_speed(timed.sectional_400m, timed.finish_seconds, timed.race_distance) as finishing_speed_percentage,
from timed
inner join races on timed.race_id = races.race_id

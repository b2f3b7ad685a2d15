{{!-- one row per starter: what is declared now against the horse's latest start before the day of the race --}}
with states as (
    select
        runner_id,
        weight,
        race_distance,
        total_runners,
        track_condition_numeric,
        jockey_key,
        trainer_key,
        track_type,
        track_key,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        avg(weight::decimal(9, 1)) over (
            -- lint: accept current-row: read through previous_starts, which points to an earlier day
            partition by horse_key order by runner_id rows between unbounded preceding and current row
        ) as weight_carried_avg,
    from {{ref "runners"}}
    where has_run
)

select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    states.weight_carried_avg::float as weight_carried_avg,
    (runners.weight - states.weight_carried_avg)::float as weight_vs_avg,
    (runners.weight - states.weight)::float as weight_change,
    runners.race_distance - states.race_distance as distance_change,
    (runners.total_runners::smallint - states.total_runners::smallint)::smallint as field_size_change,
    (runners.track_condition_numeric - states.track_condition_numeric)::float as going_change,
    runners.jockey_key <> states.jockey_key as is_jockey_change,
    runners.trainer_key <> states.trainer_key as is_trainer_change,
    runners.track_type <> states.track_type as is_surface_change,
    runners.track_key <> states.track_key as is_track_change,
from {{ref "runners"}} as runners
positional join {{ref "previous_starts"}} as previous_starts
left join states on previous_starts.horse_start = states.runner_id
where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
order by runner_id

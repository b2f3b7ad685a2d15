{{!-- one row per starter: what is declared now against the horse's latest start before the day of the race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    state.weight_carried_avg::float as weight_carried_avg,
    (runners.weight - state.weight_carried_avg)::float as weight_vs_avg,
    (runners.weight - before.weight)::float as weight_change,
    runners.race_distance - before.race_distance as distance_change,
    (runners.total_runners::smallint - before.total_runners::smallint)::smallint as field_size_change,
    (runners.track_condition_numeric - before.track_condition_numeric)::float as going_change,
    runners.jockey_key <> before.jockey_key as is_jockey_change,
    runners.trainer_key <> before.trainer_key as is_trainer_change,
    runners.track_type <> before.track_type as is_surface_change,
    runners.track_key <> before.track_key as is_track_change,
from {{ref "runners"}} as runners
positional join {{ref "previous_starts"}} as previous_starts
left join {{ref "runners"}} as before on previous_starts.horse_start = before.runner_id
left join {{ref "conditions_state"}} as state on previous_starts.horse_start = state.runner_id
where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
order by runner_id

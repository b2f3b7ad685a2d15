{{!-- one row per starter of a race not run yet: the features of the training dataset, from the same code --}}
select
    * exclude (
        runner_id,
        has_run,
        final_position,
        finish_status,
        margin,
        raw_time_seconds,
        is_win,
        is_place,
        beat_pct
    )
from {{ref "race_dataset"}}
where not has_run

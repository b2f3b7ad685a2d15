{{!-- one row per starter of a race that has been run: every feature as of the day before, and what came of it --}}
with final as (
    select
        race_dataset.* exclude (runner_id),

        runners.position as final_position,
        runners.finish_status,
        runners.margin,
        runners.raw_time_seconds,
        runners.is_win,
        runners.is_place,
        runners.beat_pct,
    from {{ref "race_dataset"}} as race_dataset
    inner join {{ref "runners"}} as runners on race_dataset.runner_id = runners.runner_id
    where runners.has_run
)

select * from final

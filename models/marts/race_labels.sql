{{!-- one row per starter, races to come included: what came of it, for the training dataset alone --}}
with final as (
    select
        runner_id,
        race_id,
        horse_slug,
        has_run,

        position as final_position,
        finish_status,
        margin,
        raw_time_seconds,
        is_win,
        is_place,
        beat_pct,
    from {{ref "runners"}}
)

select * from final
order by runner_id

{{!-- one row per starter: the horse's section times before the day of the race --}}
with final as (
    select
        previous_starts.runner_id,
        previous_starts.race_id,
        previous_starts.race_date,

        coalesce(state.timed_runs, 0)::usmallint as timed_runs,
        state.avg_sectional_400m,
        state.avg_sectional_800m,
        state.avg_cumulative_800m,
        state.sectional_time_consistency,
        state.early_vs_mid_pace_change,
        state.historical_speed_vs_field,
        state.last_speed_vs_field,
        state.avg_last_800m_vs_race,
        state.avg_last_600m_vs_race,
        state.avg_last_400m_vs_race,
        state.avg_last_200m_vs_race,
        state.best_last_400m_vs_race,
        state.latest_last_400m_vs_race,
        state.avg_finishing_speed_percentage,
        state.last_finishing_speed_percentage,
    from {{ref "previous_starts"}} as previous_starts
    left join {{ref "running_style_state"}} as state on previous_starts.horse_start = state.runner_id
)

select * from final
order by runner_id

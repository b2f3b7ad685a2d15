{{!-- one row per starter: where in the field the horse used to run, before the day of the race --}}
with final as (
    select
        previous_starts.runner_id,
        previous_starts.race_id,
        previous_starts.race_date,

        coalesce(state.running_style, 'unknown') as running_style,
        coalesce(state.known_settle_runs, 0)::usmallint as known_settle_runs,
        state.expected_settle_pct,
        state.last_settle_pct,
        state.avg_early_position_800m,
        state.avg_pos_400m as avg_mid_position_400m,
        state.avg_pos_200m,
        state.avg_late_surge,
        state.avg_improvement_from_400m,
        state.early_speed_score,
        state.closing_ability_score,
        state.sustained_run_score,
        state.early_speed_pct,
        state.strong_finish_pct,
        state.fader_rate,
        state.closer_rate,
        state.front_rate,
        state.pos_volatility_800,
        state.finishing_kick_consistency,
    from {{ref "previous_starts"}} as previous_starts
    left join {{ref "running_style_state"}} as state on previous_starts.horse_start = state.runner_id
)

select * from final
order by runner_id

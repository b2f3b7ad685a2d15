{{!-- one row per starter: the horse's latest starts before the day of the race --}}
select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    form_state.last_position,
    form_state.last_margin,
    form_state.last_beat_pct,
    form_state.last_5_avg_position,
    form_state.last_5_best_position,
    form_state.last_5_win_rate,
    form_state.last_5_place_rate,
    form_state.last_10_win_rate,
    form_state.last_5_avg_beat_pct,
    form_state.last_5_avg_margin,
    form_state.last_5_beat_pct_slope,
    form_state.weighted_beat_pct,
    form_state.form_momentum,
    coalesce(form_state.last_5_win_rate > 0, false) as has_winning_form,
    pow(0.5, previous_starts.days_since_last_race / {{var "form_half_life_days"}})::float as form_recency_score,
from {{ref "previous_starts"}} as previous_starts
left join {{ref "form_state"}} as form_state on previous_starts.horse_start = form_state.runner_id
order by runner_id

{{!-- a horse's current form is what the features of the next race day say of it --}}
with next_starters as (
    select
        runners.runner_id,
        runners.horse_slug,
        -- The location of the slug's latest start speaks; a starter elsewhere has another history.
        runners.horse_key = arg_max(earlier.horse_key, earlier.runner_id) as is_same_location,
    from {{ref "runners"}} as runners
    inner join {{ref "next_race_day"}} as next_race_day on runners.race_date = next_race_day.race_date
    inner join {{ref "runners"}} as earlier
        on runners.horse_slug_key = earlier.horse_slug_key
        and earlier.has_run
    group by
        runners.runner_id,
        runners.horse_slug,
        runners.horse_key
)

select
    next_starters.horse_slug,
    next_starters.runner_id,
from next_starters
inner join {{ref "career"}} as career on next_starters.runner_id = career.runner_id
inner join {{ref "form"}} as form on next_starters.runner_id = form.runner_id
inner join {{ref "running_style"}} as running_style on next_starters.runner_id = running_style.runner_id
inner join {{ref "sectional_form"}} as sectional_form on next_starters.runner_id = sectional_form.runner_id
inner join {{ref "horse_elo"}} as horse_elo on next_starters.runner_id = horse_elo.runner_id
left join {{ref "horse_form_state"}} as state on next_starters.horse_slug = state.horse_slug
where
    next_starters.is_same_location
    and (
        state.horse_slug is null
        or career.race_date - state.last_race_date <> career.days_since_last_race
        or state.current_elo is distinct from horse_elo.horse_elo::float
        or state.avg_pos_400m is distinct from running_style.avg_mid_position_400m
{{#each (list "total_races" "wins" "places" "win_percentage" "place_percentage" "consistency_score" "runs_last_60_days" "runs_last_90_days" "avg_days_between_runs") as |column|}}
        or state.{{column}} is distinct from career.{{column}}
{{/each}}
{{#each (list "last_5_win_rate" "last_5_place_rate" "last_5_avg_position" "form_momentum") as |column|}}
        or state.{{column}} is distinct from form.{{column}}
{{/each}}
{{#each (list "running_style" "avg_early_position_800m" "avg_late_surge" "early_speed_score" "closing_ability_score" "avg_pos_200m" "early_speed_pct" "strong_finish_pct" "pos_volatility_800" "finishing_kick_consistency") as |column|}}
        or state.{{column}} is distinct from running_style.{{column}}
{{/each}}
{{#each (list "avg_sectional_400m" "avg_sectional_800m" "avg_cumulative_800m" "sectional_time_consistency" "early_vs_mid_pace_change" "historical_speed_vs_field") as |column|}}
        or state.{{column}} is distinct from sectional_form.{{column}}
{{/each}}
    )

{{!-- one row per horse_slug that has started: its form after the latest result; where a slug occurs in several
      locations, the location of its latest start speaks --}}
-- The rows of the families past those of the starters: what the features of its next start would be.
with next_starts as (
    select
        previous_starts.runner_id,
        runners.horse_slug,
        previous_starts.horse_start,
        previous_starts.last_race_date,
    -- In this order: the right side becomes a table in memory. Of 2.4 million starters that took 308 MB, this takes 83.
    from {{ref "runners"}} as runners
    inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.horse_start
        and previous_starts.race_date = 'infinity'
    qualify row_number() over (partition by runners.horse_slug order by previous_starts.horse_start desc) = 1
)

select
    next_starts.horse_slug,
    form.last_5_win_rate,
    form.last_5_place_rate,
    form.last_5_avg_position,
    form.form_momentum,
    next_starts.last_race_date,
    career.total_races,
    career.wins,
    career.places,
    career.win_percentage,
    career.place_percentage,
    career.consistency_score,
    career.runs_last_60_days,
    career.runs_last_90_days,
    career.avg_days_between_runs,
    horse_elo.horse_elo_after::float as current_elo,
    running_style.running_style,
    running_style.avg_early_position_800m,
    running_style.avg_mid_position_400m as avg_pos_400m,
    running_style.avg_late_surge,
    running_style.early_speed_score,
    running_style.closing_ability_score,
    running_style.avg_pos_200m,
    running_style.early_speed_pct,
    running_style.strong_finish_pct,
    running_style.pos_volatility_800,
    running_style.finishing_kick_consistency,
    sectional_form.avg_sectional_400m,
    sectional_form.avg_sectional_800m,
    sectional_form.avg_cumulative_800m,
    sectional_form.sectional_time_consistency,
    sectional_form.early_vs_mid_pace_change,
    sectional_form.historical_speed_vs_field,
from next_starts
inner join {{ref "form"}} as form on next_starts.runner_id = form.runner_id
    and form.race_date = 'infinity'
inner join {{ref "career"}} as career on next_starts.runner_id = career.runner_id
    and career.race_date = 'infinity'
inner join {{ref "running_style"}} as running_style on next_starts.runner_id = running_style.runner_id
    and running_style.race_date = 'infinity'
inner join {{ref "sectional_form"}} as sectional_form on next_starts.runner_id = sectional_form.runner_id
    and sectional_form.race_date = 'infinity'
left join {{ref "horse_elo"}} as horse_elo on next_starts.horse_start = horse_elo.runner_id

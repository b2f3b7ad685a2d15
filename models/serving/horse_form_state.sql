{{!-- one row per horse_slug that has started: its form after the latest result; where a slug occurs in several
      locations, the location of its latest start speaks --}}
with latest as (
    select
        horse_slug,
        max(runner_id) as runner_id,
    from {{ref "runners"}}
    where has_run
    group by horse_slug
),

-- Counted back from the day that is next, as the features of that day's races count them.
recent as (
    select
        runners.horse_key,
        count(*) filter (where next_race_day.race_date - runners.race_date between 1 and 60) as runs_last_60_days,
        count(*) filter (where next_race_day.race_date - runners.race_date between 1 and 90) as runs_last_90_days,
    from {{ref "runners"}} as runners
    cross join {{ref "next_race_day"}} as next_race_day
    where runners.has_run
    group by runners.horse_key
)

select
    latest.horse_slug,
    form_state.last_5_win_rate,
    form_state.last_5_place_rate,
    form_state.last_5_avg_position,
    form_state.form_momentum,
    career_state.race_date as last_race_date,
    career_state.total_races,
    career_state.wins,
    career_state.places,
    career_state.win_percentage,
    career_state.place_percentage,
    career_state.consistency_score,
    recent.runs_last_60_days::usmallint as runs_last_60_days,
    recent.runs_last_90_days::usmallint as runs_last_90_days,
    career_state.avg_days_between_runs,
    horse_elo.horse_elo_after::float as current_elo,
    running_style_state.running_style,
    running_style_state.avg_early_position_800m,
    running_style_state.avg_pos_400m,
    running_style_state.avg_late_surge,
    running_style_state.early_speed_score,
    running_style_state.closing_ability_score,
    running_style_state.avg_pos_200m,
    running_style_state.early_speed_pct,
    running_style_state.strong_finish_pct,
    running_style_state.pos_volatility_800,
    running_style_state.finishing_kick_consistency,
    running_style_state.avg_sectional_400m,
    running_style_state.avg_sectional_800m,
    running_style_state.avg_cumulative_800m,
    running_style_state.sectional_time_consistency,
    running_style_state.early_vs_mid_pace_change,
    running_style_state.historical_speed_vs_field,
from latest
inner join {{ref "career_state"}} as career_state on latest.runner_id = career_state.runner_id
inner join {{ref "form_state"}} as form_state on latest.runner_id = form_state.runner_id
inner join recent on career_state.horse_key = recent.horse_key
left join {{ref "running_style_state"}} as running_style_state on latest.runner_id = running_style_state.runner_id
left join {{ref "horse_elo"}} as horse_elo on latest.runner_id = horse_elo.runner_id

{{!-- one row per starter: the horse's record before the day of the race --}}
with starters as (
    select
        runner_id,
        race_id,
        race_date,
        location,
        count(*) filter (where has_run) over last_60_days as runs_last_60_days,
        count(*) filter (where has_run) over last_90_days as runs_last_90_days,
    from {{ref "runners"}}
    window
        last_60_days as (
            partition by horse_key order by race_date
            range between interval 60 day preceding and interval 1 day preceding
        ),
        last_90_days as (
            partition by horse_key order by race_date
            range between interval 90 day preceding and interval 1 day preceding
        )
)

select
    starters.runner_id,
    starters.race_id,
    starters.race_date,

    coalesce(career_state.total_races, 0)::usmallint as total_races,
    coalesce(career_state.wins, 0)::usmallint as wins,
    coalesce(career_state.places, 0)::usmallint as places,
    career_state.win_percentage,
    career_state.place_percentage,
    (100 * shrunk_rate(
        career_state.wins,
        career_state.total_races,
        location_rates.location_win_rate,
        {{var "horse_win_prior_starts"}}
    ))::float as win_percentage_shrunk,
    (100 * shrunk_rate(
        career_state.places,
        career_state.total_races,
        location_rates.location_place_rate,
        {{var "horse_place_prior_starts"}}
    ))::float as place_percentage_shrunk,
    coalesce(career_state.total_races, 0) = 0 as is_first_timer,
    coalesce(career_state.total_races > 0 and career_state.places = 0, false) as never_placed_flag,
    coalesce(career_state.total_races >= {{var "experienced_starts"}}, false) as experienced_horse_flag,
    coalesce(career_state.total_races, 0) < {{var "low_sample_starts"}} as low_sample_flag,
    least(coalesce(career_state.total_races, 0) / {{var "mature_starts"}}, 1)::float as feature_maturity_score,

    previous_starts.days_since_last_race::usmallint as days_since_last_race,
    coalesce(previous_starts.days_since_last_race > {{var "stale_days"}}, false) as extreme_staleness_flag,
    starters.runs_last_60_days::usmallint as runs_last_60_days,
    starters.runs_last_90_days::usmallint as runs_last_90_days,
    starters.runs_last_60_days > 0 as has_recent_form,
    career_state.avg_days_between_runs,

    career_state.avg_beat_pct,
    career_state.consistency_score,
from starters
inner join {{ref "previous_starts"}} as previous_starts on starters.runner_id = previous_starts.runner_id
inner join {{ref "location_rates"}} as location_rates
    on starters.location = location_rates.location
    and starters.race_date = location_rates.race_date
left join {{ref "career_state"}} as career_state on previous_starts.horse_start = career_state.runner_id
order by runner_id

{{!-- one row per starter: the horse's record before the day of the race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

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
    previous_starts.runs_last_60_days,
    previous_starts.runs_last_90_days,
    previous_starts.runs_last_60_days > 0 as has_recent_form,
    career_state.avg_days_between_runs,

    career_state.avg_beat_pct,
    career_state.consistency_score,
from {{ref "runners"}} as runners
positional join {{ref "previous_starts"}} as previous_starts
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join {{ref "career_state"}} as career_state on previous_starts.horse_start = career_state.runner_id
where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
order by runner_id

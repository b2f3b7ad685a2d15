{{!-- one row per starter: its jockey's record before the day of the race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.horse_slug,
    runners.race_date,

    coalesce(jockey_days.total_rides, 0)::uinteger as jockey_total_rides,
    rate(jockey_days.wins, jockey_days.total_rides) as jockey_win_rate,
    rate(jockey_days.places, jockey_days.total_rides) as jockey_place_rate,
    shrunk_rate(
        jockey_days.wins, jockey_days.total_rides, location_rates.location_win_rate, {{var "jockey_prior_rides"}}
    ) as jockey_win_rate_shrunk,
    shrunk_rate(
        jockey_days.places, jockey_days.total_rides, location_rates.location_place_rate, {{var "jockey_prior_rides"}}
    ) as jockey_place_rate_shrunk,
{{#each (list 30 90 365) as |days|}}
    coalesce(jockey_days.rides_{{days}}d, 0)::usmallint as jockey_rides_{{days}}d,
    rate(jockey_days.wins_{{days}}d, jockey_days.rides_{{days}}d) as jockey_win_rate_{{days}}d,
{{/each}}
    jockey_days.avg_position_20 as jockey_avg_position_20,
    jockey_days.avg_position_50 as jockey_avg_position_50,
    jockey_days.last_20_win_rate as jockey_last_20_win_rate,
    jockey_days.last_50_win_rate as jockey_last_50_win_rate,
    jockey_days.last_100_win_rate as jockey_last_100_win_rate,
    jockey_days.last_50_avg_beat_pct as jockey_last_50_avg_beat_pct,
    case when jockey_days.expected_wins > 0 then jockey_days.priced_wins / jockey_days.expected_wins end::float
        as jockey_actual_over_expected,
    (
        (jockey_days.priced_wins + {{var "expected_wins_prior"}})
        / (jockey_days.expected_wins + {{var "expected_wins_prior"}})
    )::float as jockey_actual_over_expected_shrunk,
    (runners.race_date - jockey_days.latest_date)::usmallint as jockey_days_since_last_ride,
    jockey_days.total_rides < {{var "new_jockey_rides"}} as new_jockey_flag,
from {{ref "runners"}} as runners
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join {{ref "jockey_days"}} as jockey_days
    on runners.jockey_key = jockey_days.jockey_key
    and runners.race_date = jockey_days.race_date
order by runner_id

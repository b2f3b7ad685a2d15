{{!-- one row per starter: its jockey's record before the day of the race --}}
with recent as (
    select
        runner_id,
{{#each (list 30 90 365) as |days|}}
        count(*) filter (where has_run) over last_{{days}}_days as rides_{{days}}d,
        count(*) filter (where is_win) over last_{{days}}_days as wins_{{days}}d,
{{/each}}
    from {{ref "runners"}}
    where jockey_key is not null
    window
{{#each (list 30 90 365) as |days|}}
        last_{{days}}_days as (
            partition by jockey_key order by race_date
            range between interval {{days}} day preceding and interval 1 day preceding
        ){{#unless @last}},{{/unless}}
{{/each}}
)

select
    runners.runner_id,
    runners.race_id,
    runners.horse_slug,
    runners.race_date,

    coalesce(jockey_state.total_rides, 0)::uinteger as jockey_total_rides,
    rate(jockey_state.wins, jockey_state.total_rides) as jockey_win_rate,
    rate(jockey_state.places, jockey_state.total_rides) as jockey_place_rate,
    shrunk_rate(
        jockey_state.wins, jockey_state.total_rides, location_rates.location_win_rate, {{var "jockey_prior_rides"}}
    ) as jockey_win_rate_shrunk,
    shrunk_rate(
        jockey_state.places, jockey_state.total_rides, location_rates.location_place_rate, {{var "jockey_prior_rides"}}
    ) as jockey_place_rate_shrunk,
{{#each (list 30 90 365) as |days|}}
    coalesce(recent.rides_{{days}}d, 0)::usmallint as jockey_rides_{{days}}d,
    rate(recent.wins_{{days}}d, recent.rides_{{days}}d) as jockey_win_rate_{{days}}d,
{{/each}}
    jockey_state.avg_position_20 as jockey_avg_position_20,
    jockey_state.avg_position_50 as jockey_avg_position_50,
    jockey_state.last_20_win_rate as jockey_last_20_win_rate,
    jockey_state.last_50_win_rate as jockey_last_50_win_rate,
    jockey_state.last_100_win_rate as jockey_last_100_win_rate,
    jockey_state.last_50_avg_beat_pct as jockey_last_50_avg_beat_pct,
    (jockey_state.priced_wins / nullif(jockey_state.expected_wins, 0))::float as jockey_actual_over_expected,
    (
        (jockey_state.priced_wins + {{var "expected_wins_prior"}})
        / (jockey_state.expected_wins + {{var "expected_wins_prior"}})
    )::float as jockey_actual_over_expected_shrunk,
    previous_starts.days_since_last_ride::usmallint as jockey_days_since_last_ride,
    case when runners.jockey_key is not null then coalesce(jockey_state.total_rides, 0) < {{var "new_jockey_rides"}} end
        as new_jockey_flag,
from {{ref "runners"}} as runners
inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.runner_id
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join {{ref "jockey_state"}} as jockey_state on previous_starts.jockey_start = jockey_state.runner_id
left join recent on runners.runner_id = recent.runner_id

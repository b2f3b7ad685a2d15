{{!-- one row per starter: its trainer's record before the day of the race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.horse_slug,
    runners.race_date,

    coalesce(trainer_days.total_runners, 0)::uinteger as trainer_total_runners,
    rate(trainer_days.wins, trainer_days.total_runners) as trainer_win_rate,
    rate(trainer_days.places, trainer_days.total_runners) as trainer_place_rate,
    shrunk_rate(
        trainer_days.wins, trainer_days.total_runners, location_rates.location_win_rate, {{var "trainer_prior_runners"}}
    ) as trainer_win_rate_shrunk,
    shrunk_rate(
        trainer_days.places, trainer_days.total_runners, location_rates.location_place_rate, {{var "trainer_prior_runners"}}
    ) as trainer_place_rate_shrunk,
{{#each (list 30 90 365) as |days|}}
    coalesce(trainer_days.runners_{{days}}d, 0)::usmallint as trainer_runners_{{days}}d,
    rate(trainer_days.wins_{{days}}d, trainer_days.runners_{{days}}d) as trainer_win_rate_{{days}}d,
{{/each}}
    trainer_days.avg_position_50 as trainer_avg_position_50,
    trainer_days.avg_position_100 as trainer_avg_position_100,
    trainer_days.last_20_win_rate as trainer_last_20_win_rate,
    trainer_days.last_50_win_rate as trainer_last_50_win_rate,
    trainer_days.last_100_win_rate as trainer_last_100_win_rate,
    trainer_days.last_50_avg_beat_pct as trainer_last_50_avg_beat_pct,
    case when trainer_days.expected_wins > 0 then trainer_days.priced_wins / trainer_days.expected_wins end::float
        as trainer_actual_over_expected,
    (
        (trainer_days.priced_wins + {{var "expected_wins_prior"}})
        / (trainer_days.expected_wins + {{var "expected_wins_prior"}})
    )::float as trainer_actual_over_expected_shrunk,
    (runners.race_date - trainer_days.latest_date)::usmallint as trainer_days_since_last_runner,
    trainer_days.total_runners < {{var "new_trainer_runners"}} as new_trainer_flag,
from {{ref "runners"}} as runners
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join {{ref "trainer_days"}} as trainer_days
    on runners.trainer_key = trainer_days.trainer_key
    and runners.race_date = trainer_days.race_date
order by runner_id

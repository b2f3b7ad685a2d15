{{!-- one row per starter: its trainer's record before the day of the race --}}
with recent as (
    select
        runner_id,
{{#each (list 30 90 365) as |days|}}
        count(*) filter (where has_run) over last_{{days}}_days as runners_{{days}}d,
        count(*) filter (where is_win) over last_{{days}}_days as wins_{{days}}d,
{{/each}}
    from {{ref "runners"}}
    where trainer_key is not null
    window
{{#each (list 30 90 365) as |days|}}
        last_{{days}}_days as (
            partition by trainer_key order by race_date
            range between interval {{days}} day preceding and interval 1 day preceding
        ){{#unless @last}},{{/unless}}
{{/each}}
)

select
    runners.runner_id,
    runners.race_id,
    runners.horse_slug,
    runners.race_date,

    coalesce(trainer_state.total_runners, 0)::uinteger as trainer_total_runners,
    rate(trainer_state.wins, trainer_state.total_runners) as trainer_win_rate,
    rate(trainer_state.places, trainer_state.total_runners) as trainer_place_rate,
    shrunk_rate(
        trainer_state.wins, trainer_state.total_runners, location_rates.location_win_rate, {{var "trainer_prior_runners"}}
    ) as trainer_win_rate_shrunk,
    shrunk_rate(
        trainer_state.places, trainer_state.total_runners, location_rates.location_place_rate, {{var "trainer_prior_runners"}}
    ) as trainer_place_rate_shrunk,
{{#each (list 30 90 365) as |days|}}
    coalesce(recent.runners_{{days}}d, 0)::usmallint as trainer_runners_{{days}}d,
    rate(recent.wins_{{days}}d, recent.runners_{{days}}d) as trainer_win_rate_{{days}}d,
{{/each}}
    trainer_state.avg_position_50 as trainer_avg_position_50,
    trainer_state.avg_position_100 as trainer_avg_position_100,
    trainer_state.last_20_win_rate as trainer_last_20_win_rate,
    trainer_state.last_50_win_rate as trainer_last_50_win_rate,
    trainer_state.last_100_win_rate as trainer_last_100_win_rate,
    trainer_state.last_50_avg_beat_pct as trainer_last_50_avg_beat_pct,
    (trainer_state.priced_wins / nullif(trainer_state.expected_wins, 0))::float as trainer_actual_over_expected,
    (
        (trainer_state.priced_wins + {{var "expected_wins_prior"}})
        / (trainer_state.expected_wins + {{var "expected_wins_prior"}})
    )::float as trainer_actual_over_expected_shrunk,
    previous_starts.days_since_last_runner::usmallint as trainer_days_since_last_runner,
    case when runners.trainer_key is not null then coalesce(trainer_state.total_runners, 0) < {{var "new_trainer_runners"}} end
        as new_trainer_flag,
from {{ref "runners"}} as runners
inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.runner_id
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
left join {{ref "trainer_state"}} as trainer_state on previous_starts.trainer_start = trainer_state.runner_id
left join recent on runners.runner_id = recent.runner_id

{{!-- a trainer's current form is what the features of the next race day say of it --}}
with latest as (
    select
        trainer_slug,
        arg_max(trainer_key, runner_id) as trainer_key,
    from {{ref "runners"}}
    where has_run and trainer_slug is not null
    group by trainer_slug
)

select
    trainer.runner_id,
    latest.trainer_slug,
from {{ref "runners"}} as runners
inner join {{ref "next_race_day"}} as next_race_day on runners.race_date = next_race_day.race_date
-- The location of the latest start speaks; a starter elsewhere has another history.
inner join latest on runners.trainer_key = latest.trainer_key
inner join {{ref "trainer"}} as trainer on runners.runner_id = trainer.runner_id
left join {{ref "trainer_form_state"}} as state on latest.trainer_slug = state.trainer_slug
where
    state.trainer_slug is null
    or state.total_runners <> trainer.trainer_total_runners
    or rate(state.wins, state.total_runners) is distinct from trainer.trainer_win_rate
    or rate(state.places, state.total_runners) is distinct from trainer.trainer_place_rate
    or state.last_runner_date + trainer.trainer_days_since_last_runner is distinct from runners.race_date
{{#each (list 50 100) as |latest|}}
    or state.avg_position_{{latest}} is distinct from trainer.trainer_avg_position_{{latest}}
    or state.last_{{latest}}_win_rate is distinct from trainer.trainer_last_{{latest}}_win_rate
{{/each}}

{{!-- a jockey's current form is what the features of the next race day say of it --}}
with latest as (
    select
        jockey_slug,
        arg_max(jockey_key, runner_id) as jockey_key,
    from {{ref "runners"}}
    where has_run and jockey_slug is not null
    group by jockey_slug
)

select
    jockey.runner_id,
    latest.jockey_slug,
from {{ref "runners"}} as runners
inner join {{ref "next_race_day"}} as next_race_day on runners.race_date = next_race_day.race_date
-- The location of the latest start speaks; a starter elsewhere has another history.
inner join latest on runners.jockey_key = latest.jockey_key
inner join {{ref "jockey"}} as jockey on runners.runner_id = jockey.runner_id
left join {{ref "jockey_form_state"}} as state on latest.jockey_slug = state.jockey_slug
where
    state.jockey_slug is null
    or state.total_rides <> jockey.jockey_total_rides
    or rate(state.wins, state.total_rides) is distinct from jockey.jockey_win_rate
    or rate(state.places, state.total_rides) is distinct from jockey.jockey_place_rate
    or state.last_ride_date + jockey.jockey_days_since_last_ride is distinct from runners.race_date
{{#each (list 20 50) as |latest|}}
    or state.avg_position_{{latest}} is distinct from jockey.jockey_avg_position_{{latest}}
    or state.last_{{latest}}_win_rate is distinct from jockey.jockey_last_{{latest}}_win_rate
{{/each}}

{{!-- what jockey and trainer did together is what the features of the next race day say --}}
with pairs as (
    select
        jockey_key,
        trainer_key,
        any_value(jockey_slug) as jockey_slug,
        any_value(trainer_slug) as trainer_slug,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where has_run and jockey_key is not null and trainer_key is not null
    group by
        jockey_key,
        trainer_key
),

-- The location of the latest start together speaks.
latest as (
    select *
    from pairs
    qualify row_number() over (partition by jockey_slug, trainer_slug order by latest_start desc) = 1
)

select
    runners.runner_id,
    latest.jockey_slug,
    latest.trainer_slug,
from {{ref "runners"}} as runners
inner join {{ref "next_race_day"}} as next_race_day on runners.race_date = next_race_day.race_date
inner join latest
    on runners.jockey_key = latest.jockey_key
    and runners.trainer_key = latest.trainer_key
inner join {{ref "connections"}} as connections on runners.runner_id = connections.runner_id
left join {{ref "jockey_trainer_connection_state"}} as state
    on latest.jockey_slug = state.jockey_slug
    and latest.trainer_slug = state.trainer_slug
where
    state.connection_races is distinct from connections.jockey_trainer_connection_races
    or state.connection_wins <> connections.jockey_trainer_connection_wins
    or state.connection_places <> connections.jockey_trainer_connection_places
    or state.connection_win_rate <> connections.jockey_trainer_connection_win_rate
    or state.connection_place_rate <> connections.jockey_trainer_connection_place_rate
    or runners.race_date - state.last_ride_together <> connections.jockey_trainer_days_since_together
    or state.strong_connection <> connections.strong_trainer_connection

{{!-- what horse and jockey did together is what the features of the next race day say --}}
with upcoming as (
    select runners.*
    from {{ref "runners"}} as runners
    inner join {{ref "next_race_day"}} as next_race_day on runners.race_date = next_race_day.race_date
),

-- Only of horses that start then: all pairs there ever were do not fit into a small memory.
pairs as (
    select
        horse_key,
        jockey_key,
        any_value(horse_slug) as horse_slug,
        any_value(jockey_slug) as jockey_slug,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where
        has_run
        and jockey_key is not null
        and horse_slug_key in (select horse_slug_key from upcoming)
    group by
        horse_key,
        jockey_key
),

-- The location of the latest start together speaks.
latest as (
    select *
    from pairs
    qualify row_number() over (partition by horse_slug, jockey_slug order by latest_start desc) = 1
)

select
    upcoming.runner_id,
    latest.horse_slug,
    latest.jockey_slug,
from upcoming
inner join latest
    on upcoming.horse_key = latest.horse_key
    and upcoming.jockey_key = latest.jockey_key
inner join {{ref "connections"}} as connections on upcoming.runner_id = connections.runner_id
left join {{ref "jockey_horse_connection_state"}} as state
    on latest.horse_slug = state.horse_slug
    and latest.jockey_slug = state.jockey_slug
where
    state.connection_races is distinct from connections.jockey_horse_connection_races
    or state.connection_wins <> connections.jockey_horse_connection_wins
    or state.connection_places <> connections.jockey_horse_connection_places
    or state.connection_win_rate <> connections.jockey_horse_connection_win_rate
    or state.connection_place_rate <> connections.jockey_horse_connection_place_rate
    or upcoming.race_date - state.last_ride_together <> connections.jockey_horse_days_since_together
    or state.strong_connection <> connections.strong_jockey_connection

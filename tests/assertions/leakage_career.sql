{{!-- every starter's record is what a self-join on earlier dates gives, row by row --}}
with history as (
    select
        starter.runner_id,
        any_value(starter.race_date) as race_date,
        count(past.runner_id) as total_races,
        count(past.runner_id) filter (where past.position = 1) as wins,
        count(past.runner_id) filter (where past.position <= 3) as places,
        max(past.race_date) as last_date,
        count(past.runner_id) filter (where past.race_date >= starter.race_date - 60) as runs_last_60_days,
        count(past.runner_id) filter (where past.race_date >= starter.race_date - 90) as runs_last_90_days,
    from {{ref "runners"}} as starter
    left join {{ref "runners"}} as past
        on starter.horse_key = past.horse_key
        and past.race_date < starter.race_date
        and past.has_run
    group by starter.runner_id
)

select
    career.race_id,
    career.runner_id,
    career.total_races,
    history.total_races as expected_races,
    career.wins,
    history.wins as expected_wins,
    career.places,
    history.places as expected_places,
    career.days_since_last_race,
    history.race_date - history.last_date as expected_days,
from history
full join (select * from {{ref "career"}} where race_date < 'infinity') as career on history.runner_id = career.runner_id
where
    career.total_races is distinct from history.total_races
    or career.wins is distinct from history.wins
    or career.places is distinct from history.places
    or career.is_first_timer is distinct from (history.total_races = 0)
    or career.days_since_last_race is distinct from history.race_date - history.last_date
    or career.runs_last_60_days is distinct from history.runs_last_60_days
    or career.runs_last_90_days is distinct from history.runs_last_90_days
    or differs(career.win_percentage, 100 * history.wins / nullif(history.total_races, 0))
    or differs(career.place_percentage, 100 * history.places / nullif(history.total_races, 0))

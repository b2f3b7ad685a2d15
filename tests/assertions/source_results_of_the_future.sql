{{config severity="warn"}}
{{!-- races that have results before their day has come: a mistyped date, after which the current form counts its days --}}
select
    races.race_id,
    races.race_date,
    races.track_name,
from {{ref "stg_races"}} as races
where
    -- A day ahead is today somewhere.
    races.race_date > current_date + 1
    and exists (
        select 1 from {{ref "stg_race_results"}} as results
        where results.race_id = races.race_id and results.position is not null
    )

{{!-- one row: the day that the current form is for, the first one with declared races after the latest results --}}
with latest as (
    select max(race_date) as race_date
    from {{ref "runners"}}
    where has_run
)

select
    coalesce(
        min(runners.race_date) filter (
            where not runners.has_run and (latest.race_date is null or runners.race_date > latest.race_date)
        ),
        -- Nothing is declared: the day after.
        -- lint: accept unordered-pick: latest is one row
        any_value(latest.race_date) + 1
    ) as race_date,
from {{ref "runners"}} as runners
cross join latest

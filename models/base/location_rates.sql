{{!-- one row per location and day with starters: how often any starter won or was placed on the days before --}}
with days as (
    select
        location,
        race_date,
        count(*) filter (where has_run) as starts,
        count(*) filter (where is_win) as wins,
        count(*) filter (where is_place) as places,
    from {{ref "runners"}}
    group by
        location,
        race_date
)

select
    location,
    race_date,
    coalesce(sum(starts) over before_today, 0)::uinteger as location_starts,
    rate(sum(wins) over before_today, sum(starts) over before_today) as location_win_rate,
    rate(sum(places) over before_today, sum(starts) over before_today) as location_place_rate,
from days
-- Already one row a day.
window before_today as (
    partition by location order by race_date rows between unbounded preceding and 1 preceding
)

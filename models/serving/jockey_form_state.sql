{{!-- one row per jockey_slug that has started: its form after the latest result; where a slug occurs in several
      locations, the location of its latest start speaks --}}
with latest as (
    select
        jockey_slug,
        arg_max(jockey_key, runner_id) as jockey_key,
    from {{ref "runners"}}
    where has_run and jockey_slug is not null
    group by jockey_slug
)

select
    latest.jockey_slug,
    jockey_days.total_rides,
    jockey_days.wins,
    jockey_days.places,
    (100 * jockey_days.wins / jockey_days.total_rides)::float as win_percentage,
    (100 * jockey_days.places / jockey_days.total_rides)::float as place_percentage,
    jockey_days.avg_position_20,
    jockey_days.avg_position_50,
    jockey_days.last_20_win_rate,
    jockey_days.last_50_win_rate,
    jockey_days.latest_date as last_ride_date,
from latest
-- The row of the day that is next: what the features of that day's races say.
inner join {{ref "next_race_day"}} as next_race_day on true
inner join {{ref "jockey_days"}} as jockey_days
    on latest.jockey_key = jockey_days.jockey_key
    and next_race_day.race_date = jockey_days.race_date

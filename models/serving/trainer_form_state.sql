{{!-- one row per trainer_slug that has started: its form after the latest result; where a slug occurs in several
      locations, the location of its latest start speaks --}}
with latest as (
    select
        trainer_slug,
        arg_max(trainer_key, runner_id) as trainer_key,
    from {{ref "runners"}}
    where has_run and trainer_slug is not null
    group by trainer_slug
)

select
    latest.trainer_slug,
    trainer_days.total_runners,
    trainer_days.wins,
    trainer_days.places,
    (100 * trainer_days.wins / trainer_days.total_runners)::float as win_percentage,
    (100 * trainer_days.places / trainer_days.total_runners)::float as place_percentage,
    trainer_days.avg_position_50,
    trainer_days.avg_position_100,
    trainer_days.last_50_win_rate,
    trainer_days.last_100_win_rate,
    trainer_days.latest_date as last_runner_date,
from latest
-- The row of the day that is next: what the features of that day's races say.
inner join {{ref "next_race_day"}} as next_race_day on true
inner join {{ref "trainer_days"}} as trainer_days
    on latest.trainer_key = trainer_days.trainer_key
    and next_race_day.race_date = trainer_days.race_date

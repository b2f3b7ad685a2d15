{{!-- one row per starter: its horse's latest start of an earlier day, and its latest one with a price --}}
-- The pointer is a runner_id; these follow the running order, so the highest one is the latest. What is kept per
-- start is read through it, and a start on the same day is never seen.
with latest as (
    select
        runner_id,
        race_id,
        race_date,
        max(runner_id) filter (where has_run) over before_today as horse_start,
        max(runner_id) filter (where has_run and win_odds is not null) over before_today as priced_start,
        max(race_date) filter (where has_run) over before_today as last_race_date,
        count(*) filter (where has_run) over last_60_days as runs_last_60_days,
        count(*) filter (where has_run) over last_90_days as runs_last_90_days,
    from {{ref "runners"}}
    -- One sorting for all three.
    window
        before_today as (
            partition by horse_key order by race_date
            groups between unbounded preceding and 1 preceding
        ),
        last_60_days as (
            partition by horse_key order by race_date
            range between interval 60 day preceding and interval 1 day preceding
        ),
        last_90_days as (
            partition by horse_key order by race_date
            range between interval 90 day preceding and interval 1 day preceding
        )
),

spelled as (
    select
        *,
        -- A first start ever is not a return from a spell.
        coalesce(race_date - last_race_date >= {{var "spell_days"}}, false) as is_first_up,
    from latest
)

select
    spelled.runner_id,
    spelled.race_id,
    spelled.race_date,
    spelled.horse_start,
    spelled.priced_start,
    (spelled.race_date - spelled.last_race_date)::integer as days_since_last_race,
    spelled.runs_last_60_days::usmallint as runs_last_60_days,
    spelled.runs_last_90_days::usmallint as runs_last_90_days,
    spelled.is_first_up,
    coalesce(before.is_first_up, false) and not spelled.is_first_up as is_second_up,
from spelled
left join spelled as before on spelled.horse_start = before.runner_id
order by runner_id

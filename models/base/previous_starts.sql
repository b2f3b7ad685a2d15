{{!-- one row per starter, then one per horse that has started, for a start on the day after all results: where its earlier
      days end --}}
with declared as (
    select
        *,
        -- Counted in days, so that all windows share one sorting, and no date is turned into a timestamp.
        race_date - date '2000-01-01' as day_number,
    from {{ref "runners"}}
),

-- lint: accept frame-not-by-day: day_number is race_date
starters as (
    select
        runner_id,
        race_id,
        race_date,
        race_date as day,
        max(runner_id) filter (where has_run) over before_today as horse_start,
        max(runner_id) filter (where has_run and win_odds is not null) over before_today as priced_start,
        max(runner_id) filter (where is_timed) over before_today as timed_start,
        max(runner_id) filter (where coalesce(position_800m, position_400m, position_200m) is not null) over before_today
            as positioned_start,
        -- The latest of all, as days come in order, in half the time of max().
        -- lint: accept tie-break: starts of one day have the same date
        last_value(case when has_run then race_date end ignore nulls) over before_today as last_race_date,
        count(*) filter (where has_run) over last_60_days as runs_last_60_days,
        count(*) filter (where has_run) over last_90_days as runs_last_90_days,
    from declared
    window
        before_today as (
            partition by horse_key order by day_number
            groups between unbounded preceding and 1 preceding
        ),
        last_60_days as (
            partition by horse_key order by day_number
            range between 60 preceding and 1 preceding
        ),
        last_90_days as (
            partition by horse_key order by day_number
            range between 90 preceding and 1 preceding
        )
),

-- What a horse's features would be on the day that is next: its current form. No day of the history sees these rows.
next_starts as (
    select
        -- lint: accept tie-break: a horse has one row here
        (select max(runner_id) from {{ref "runners"}}) + row_number() over (order by runners.horse_key) as runner_id,
        'infinity'::date as race_date,
        max(next_race_day.race_date) as day,
        max(runners.runner_id) as horse_start,
        max(runners.runner_id) filter (where runners.is_timed) as timed_start,
        max(runners.runner_id) filter (
            where coalesce(runners.position_800m, runners.position_400m, runners.position_200m) is not null
        ) as positioned_start,
        max(runners.race_date) as last_race_date,
        count(*) filter (where next_race_day.race_date - runners.race_date between 1 and 60)
            as runs_last_60_days,
        count(*) filter (where next_race_day.race_date - runners.race_date between 1 and 90)
            as runs_last_90_days,
    from {{ref "runners"}} as runners
    cross join {{ref "next_race_day"}} as next_race_day
    where runners.has_run
    group by runners.horse_key
),

spelled as (
    select
        *,
        -- A first start ever is not a return from a spell.
        coalesce(day - last_race_date >= {{var "spell_days"}}, false) as is_first_up,
    from (
        select * from starters
        union all by name
        select * from next_starts
    )
)

select
    spelled.runner_id::uinteger as runner_id,
    spelled.race_id,
    spelled.race_date,
    spelled.horse_start,
    spelled.priced_start,
    spelled.timed_start,
    spelled.positioned_start,
    spelled.last_race_date,
    (spelled.day - spelled.last_race_date)::integer as days_since_last_race,
    spelled.runs_last_60_days::usmallint as runs_last_60_days,
    spelled.runs_last_90_days::usmallint as runs_last_90_days,
    spelled.is_first_up,
    coalesce(before.is_first_up, false) and not spelled.is_first_up as is_second_up,
from spelled
left join spelled as before on spelled.horse_start = before.runner_id
order by runner_id

{{!-- every trainer's record is what a self-join of days on earlier days gives (several runners in one race); every day up to 20 million pairs of days, then a sample --}}
with days as (
    select
        trainer_key,
        race_date,
        count(*) filter (where has_run) as starts,
        count(*) filter (where position = 1) as wins,
        count(*) filter (where position <= 3) as places,
    from {{ref "runners"}}
    where trainer_key is not null
    group by
        trainer_key,
        race_date
),

sizes as (
    select trainer_key, count(*) as days
    from days
    group by trainer_key
),

checked as (
    select
        days.trainer_key,
        days.race_date,
    from days
    inner join sizes on days.trainer_key = sizes.trainer_key
    qualify sum(sizes.days) over (
        order by hash(days.trainer_key, days.race_date), days.trainer_key, days.race_date
    ) <= 20000000
),

history as (
    select
        today.trainer_key,
        today.race_date,
        coalesce(sum(past.starts), 0) as starts,
        coalesce(sum(past.wins), 0) as wins,
        coalesce(sum(past.places), 0) as places,
{{#each (list 30 90 365) as |days|}}
        sum(past.starts) filter (where past.race_date >= today.race_date - {{days}}) as starts_{{days}},
        sum(past.wins) filter (where past.race_date >= today.race_date - {{days}}) as wins_{{days}},
{{/each}}
    from checked as today
    left join days as past
        on today.trainer_key = past.trainer_key
        and past.race_date < today.race_date
    group by
        today.trainer_key,
        today.race_date
)

select
    feature.race_id,
    feature.horse_slug,
    feature.trainer_total_runners,
    history.starts,
    feature.trainer_win_rate,
    history.wins / nullif(history.starts, 0) as win_rate,
    feature.trainer_win_rate_30d,
    history.wins_30 / nullif(history.starts_30, 0) as win_rate_30d,
from {{ref "trainer"}} as feature
inner join {{ref "runners"}} as runners on feature.runner_id = runners.runner_id
inner join history
    on runners.trainer_key = history.trainer_key
    and runners.race_date = history.race_date
where
    feature.trainer_total_runners is distinct from history.starts
    or differs(feature.trainer_win_rate, history.wins / nullif(history.starts, 0))
    or differs(feature.trainer_place_rate, history.places / nullif(history.starts, 0))
{{#each (list 30 90 365) as |days|}}
    or differs(feature.trainer_win_rate_{{days}}d, history.wins_{{days}} / nullif(history.starts_{{days}}, 0))
{{/each}}

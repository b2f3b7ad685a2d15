{{!-- every jockey's record is what a self-join of days on earlier days gives (several rides on one day); every day up to 20 million pairs of days, then a sample --}}
with days as (
    select
        jockey_key,
        race_date,
        count(*) filter (where has_run) as starts,
        count(*) filter (where position = 1) as wins,
        count(*) filter (where position <= 3) as places,
    from {{ref "runners"}}
    where jockey_key is not null
    group by
        jockey_key,
        race_date
),

sizes as (
    select jockey_key, count(*) as days
    from days
    group by jockey_key
),

checked as (
    select
        days.jockey_key,
        days.race_date,
    from days
    inner join sizes on days.jockey_key = sizes.jockey_key
    qualify sum(sizes.days) over (
        order by hash(days.jockey_key, days.race_date), days.jockey_key, days.race_date
    ) <= 20000000
),

history as (
    select
        today.jockey_key,
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
        on today.jockey_key = past.jockey_key
        and past.race_date < today.race_date
    group by
        today.jockey_key,
        today.race_date
)

select
    feature.race_id,
    feature.horse_slug,
    feature.jockey_total_rides,
    history.starts,
    feature.jockey_win_rate,
    history.wins / nullif(history.starts, 0) as win_rate,
    feature.jockey_win_rate_30d,
    history.wins_30 / nullif(history.starts_30, 0) as win_rate_30d,
from {{ref "jockey"}} as feature
inner join {{ref "runners"}} as runners on feature.runner_id = runners.runner_id
inner join history
    on runners.jockey_key = history.jockey_key
    and runners.race_date = history.race_date
where
    feature.jockey_total_rides is distinct from history.starts
    or differs(feature.jockey_win_rate, history.wins / nullif(history.starts, 0))
    or differs(feature.jockey_place_rate, history.places / nullif(history.starts, 0))
{{#each (list 30 90 365) as |days|}}
    or differs(feature.jockey_win_rate_{{days}}d, history.wins_{{days}} / nullif(history.starts_{{days}}, 0))
{{/each}}

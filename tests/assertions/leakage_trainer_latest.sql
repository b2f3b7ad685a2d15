{{!-- the latest 50 and 100 finishes of every trainer are those of a self-join on earlier dates; every starter up to 3 million pairs, then a sample --}}
with sizes as (
    select trainer_key, count(*) as starts
    from {{ref "runners"}}
    where trainer_key is not null
    group by trainer_key
),

checked as (
    select
        runners.runner_id,
        runners.trainer_key,
        runners.race_date,
    from {{ref "runners"}} as runners
    inner join sizes on runners.trainer_key = sizes.trainer_key
    qualify sum(sizes.starts) over (order by hash(runners.runner_id), runners.runner_id) <= 3000000
),

pairs as (
    select
        starter.runner_id,
        past.position,
        row_number() over (
            partition by starter.runner_id
            order by
                past.race_date desc,
                past.race_number desc nulls last,
                past.race_id desc,
                past.horse_slug desc
        ) as back,
    from checked as starter
    inner join {{ref "runners"}} as past
        on starter.trainer_key = past.trainer_key
        and past.race_date < starter.race_date
        and past.position is not null
),

history as (
    select
        runner_id,
        avg(position) filter (where back <= 50) as avg_position_50,
        avg(position) filter (where back <= 100) as avg_position_100,
    from pairs
    where back <= 100
    group by runner_id
)

select
    feature.race_id,
    feature.horse_slug,
    feature.trainer_avg_position_50,
    history.avg_position_50 as expected_50,
    feature.trainer_avg_position_100,
    history.avg_position_100 as expected_100,
from {{ref "trainer"}} as feature
inner join checked on feature.runner_id = checked.runner_id
left join history on feature.runner_id = history.runner_id
where
    differs(feature.trainer_avg_position_50, history.avg_position_50)
    or differs(feature.trainer_avg_position_100, history.avg_position_100)

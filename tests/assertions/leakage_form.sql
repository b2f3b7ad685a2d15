{{!-- the latest five starts are those of a self-join on earlier dates; every horse up to 4 million pairs, then a sample --}}
with sizes as (
    select horse_key, count(*) as starts
    from {{ref "runners"}}
    group by horse_key
),

checked as (
    select horse_key
    from sizes
    qualify sum(starts * starts) over (order by md5(horse_key::varchar), horse_key) <= 4000000
),

pairs as (
    select
        starter.runner_id,
        past.position,
        row_number() over (
            partition by starter.runner_id
            order by past.race_date desc, past.race_number desc nulls last, past.race_id desc
        ) as back,
    from checked
    inner join {{ref "runners"}} as starter on checked.horse_key = starter.horse_key
    inner join {{ref "runners"}} as past
        on starter.horse_key = past.horse_key
        and past.race_date < starter.race_date
        and past.has_run
),

history as (
    select
        runner_id,
        avg(position) as avg_position,
        count(*) filter (where position = 1) / count(*) as win_rate,
        count(*) filter (where position <= 3) / count(*) as place_rate,
        sum(6 - back) filter (where position <= 3) as placed_weight,
        sum(6 - back) as weight,
    from pairs
    where back <= 5
    group by runner_id
)

select
    form.race_id,
    form.runner_id,
    form.last_5_avg_position,
    history.avg_position,
    form.last_5_win_rate,
    history.win_rate,
    form.form_momentum,
    coalesce(history.placed_weight, 0) / history.weight as momentum,
from {{ref "form"}} as form
inner join {{ref "runners"}} as runners on form.runner_id = runners.runner_id
inner join checked on runners.horse_key = checked.horse_key
left join history on form.runner_id = history.runner_id
where
    differs(form.last_5_avg_position, history.avg_position)
    or differs(form.last_5_win_rate, history.win_rate)
    or differs(form.last_5_place_rate, history.place_rate)
    or differs(form.form_momentum, coalesce(history.placed_weight, 0) / history.weight)

{{!-- every starter's running style is what a self-join on earlier dates gives, row by row --}}
with known as (
    select
        starter.runner_id,
        past.position_800m::integer as position_800m,
        past.position_400m::integer as position_400m,
        past.position::integer as position,
        (past.position_800m::integer - 1) / nullif(past.total_runners::integer - 1, 0) as settle_pct,
        row_number() over (
            partition by starter.runner_id, past.settle_pct is not null
            order by past.race_date desc, past.race_number desc, past.race_id desc
        ) as runs_back,
    from {{ref "runners"}} as starter
    inner join {{ref "runners"}} as past
        on starter.horse_key = past.horse_key
        and past.race_date < starter.race_date
        and past.has_run
),

history as (
    select
        runner_id,
        count(settle_pct) filter (where runs_back <= 10) as runs,
        avg(settle_pct) filter (where runs_back <= 10) as mean_settle_pct,
        avg(position_800m) as mean_position_800m,
        avg(position_400m) as mean_position_400m,
        avg(position_400m - position) as mean_gain,
    from known
    group by runner_id
)

select
    running_style.race_id,
    running_style.runner_id,
    running_style.running_style,
    history.mean_settle_pct,
    history.runs,
from {{ref "running_style"}} as running_style
left join history on running_style.runner_id = history.runner_id
where
    running_style.race_date < 'infinity'
    and (
        running_style.running_style is distinct from case
            when coalesce(history.runs, 0) < 2 then 'unknown'
            when round(history.mean_settle_pct, 9) <= 0.15 then 'leader'
            when round(history.mean_settle_pct, 9) <= 0.40 then 'stalker'
            when round(history.mean_settle_pct, 9) <= 0.70 then 'midfield'
            else 'closer'
        end
        or differs(running_style.avg_early_position_800m, history.mean_position_800m)
        or differs(running_style.avg_mid_position_400m, history.mean_position_400m)
        or differs(running_style.avg_improvement_from_400m, history.mean_gain)
    )

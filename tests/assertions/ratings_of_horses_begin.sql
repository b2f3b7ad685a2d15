{{!-- before its first start in a location a horse has 1200, or half the way back to it from its latest rating elsewhere --}}
with firsts as (
    select
        runners.runner_id,
        runners.race_id,
        runners.horse_slug,
        runners.horse_key,
        runners.horse_slug_key,
        runners.race_date,
        horse_elo.horse_elo,
        horse_elo.is_elo_default,
    from {{ref "runners"}} as runners
    inner join {{ref "horse_elo"}} as horse_elo on runners.runner_id = horse_elo.runner_id
    left join {{ref "runners"}} as past
        on runners.horse_key = past.horse_key
        and past.race_date < runners.race_date
        and past.has_run
    group by all
    having count(past.runner_id) = 0
),

elsewhere as (
    select
        firsts.runner_id,
        arg_max(
            horse_elo.horse_elo_after,
            -- The latest start; of two places on one day the one that sorts first.
            (past.race_date, -past.horse_key::bigint)
        ) as rating,
    from firsts
    inner join {{ref "runners"}} as past
        on firsts.horse_slug_key = past.horse_slug_key
        and firsts.horse_key <> past.horse_key
        and past.race_date < firsts.race_date
        and past.has_run
    inner join {{ref "horse_elo"}} as horse_elo on past.runner_id = horse_elo.runner_id
    group by firsts.runner_id
)

select
    firsts.race_id,
    firsts.horse_slug,
    firsts.horse_elo,
    {{var "elo_first"}} + {{var "elo_transfer"}} * (coalesce(elsewhere.rating, {{var "elo_first"}}) - {{var "elo_first"}})
        as expected,
from firsts
left join elsewhere on firsts.runner_id = elsewhere.runner_id
where
    not firsts.is_elo_default
    or differs(
        firsts.horse_elo,
        {{var "elo_first"}} + {{var "elo_transfer"}} * (coalesce(elsewhere.rating, {{var "elo_first"}}) - {{var "elo_first"}})
    )

{{!-- the change of every horse over every day, computed again from the ratings of the morning by a join of its races' pairs --}}
with finishers as (
    select
        runners.race_id,
        runners.race_date,
        runners.horse_key,
        runners.position,
        case
            when runners.position = 1 then 0
            when runners.margin is not null then least(greatest(runners.margin::double, 0), {{var "elo_margin_cap"}})
        end as lengths,
        horse_elo.horse_elo as rating,
        horse_elo.elo_races_count as races,
    from {{ref "runners"}} as runners
    inner join {{ref "horse_elo"}} as horse_elo on runners.runner_id = horse_elo.runner_id
    where runners.position is not null
),

changes as (
    select
        one.horse_key,
        one.race_date,
        {{var "elo_k"}}
        * (1 + {{var "elo_boost"}} * exp(-any_value(one.races) / {{var "elo_boost_races"}}))
        / count(*)
        * sum(
            case
                when one.position = other.position then 0.5
                when
                    {{var "elo_margin_scale"}} > 0
                    and (one.position - other.position::integer) * (one.lengths - other.lengths) >= 0
                    then 1 / (1 + exp((one.lengths - other.lengths) / {{var "elo_margin_scale"}}))
                when one.position < other.position then 1
                else 0
            end
            - 1 / (1 + power(10, (other.rating - one.rating) / 400))
        ) as change,
    from finishers as one
    inner join finishers as other
        on one.race_id = other.race_id
        and one.horse_key <> other.horse_key
    group by
        one.horse_key,
        one.race_date,
        one.race_id
),

days as (
    select horse_key, race_date, sum(change) as change
    from changes
    group by
        horse_key,
        race_date
)

select
    horse_elo.race_id,
    horse_elo.runner_id,
    horse_elo.horse_elo,
    horse_elo.horse_elo_after,
    horse_elo.horse_elo + coalesce(days.change, 0) as expected_after,
from {{ref "horse_elo"}} as horse_elo
inner join {{ref "runners"}} as runners on horse_elo.runner_id = runners.runner_id
left join days
    on runners.horse_key = days.horse_key
    and runners.race_date = days.race_date
where differs(horse_elo.horse_elo_after, horse_elo.horse_elo + coalesce(days.change, 0))

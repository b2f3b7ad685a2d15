{{!-- one row per starter: its horse's, jockey's and trainer's latest start of an earlier day --}}
-- The pointers are runner_ids, which follow the running order, so the highest one is the latest. A state that is
-- kept per start is read through them, and so is the state of a whole day: nothing of this day can be seen.
with starters as (
    select
        runner_id,
        race_id,
        horse_slug,
        race_date,
        has_run,
        horse_key,
        jockey_key,
        trainer_key,
    from {{ref "runners"}}
),

latest as (
    select
        runner_id,
        race_id,
        horse_slug,
        race_date,
        max(runner_id) filter (where has_run) over horse_before_today as horse_start,
        max(race_date) filter (where has_run) over horse_before_today as last_race_date,
        case when jockey_key is not null then max(runner_id) filter (where has_run) over jockey_before_today end
            as jockey_start,
        case when jockey_key is not null then max(race_date) filter (where has_run) over jockey_before_today end
            as last_ride_date,
        case when trainer_key is not null then max(runner_id) filter (where has_run) over trainer_before_today end
            as trainer_start,
        case when trainer_key is not null then max(race_date) filter (where has_run) over trainer_before_today end
            as last_runner_date,
    from starters
    window
        horse_before_today as (
            partition by horse_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        jockey_before_today as (
            partition by jockey_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        trainer_before_today as (
            partition by trainer_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        )
),

final as (
    select
        latest.runner_id,
        latest.race_id,
        latest.horse_slug,
        latest.race_date,
        latest.horse_start,
        latest.jockey_start,
        latest.trainer_start,
        (latest.race_date - latest.last_race_date)::integer as days_since_last_race,
        (latest.race_date - latest.last_ride_date)::integer as days_since_last_ride,
        (latest.race_date - latest.last_runner_date)::integer as days_since_last_runner,
        -- A first start ever is not a return from a spell.
        coalesce(latest.race_date - latest.last_race_date >= {{var "spell_days"}}, false) as is_first_up,
        coalesce(
            latest.race_date - latest.last_race_date < {{var "spell_days"}}
            and before.race_date - before.last_race_date >= {{var "spell_days"}},
            false
        ) as is_second_up,
    from latest
    left join latest as before on latest.horse_start = before.runner_id
)

select * from final

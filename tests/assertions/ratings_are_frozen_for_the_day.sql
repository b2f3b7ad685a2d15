{{!-- a rating before a race is the rating after the latest earlier day, and does not change within a day --}}
{{#each (list "horse" "jockey" "trainer") as |entity|}}
select
    '{{entity}}' as entity,
    entity_key,
    race_date,
    lowest_before,
    highest_before,
    after_day_before,
from (
    select
        *,
        lag(highest_after) over (partition by entity_key order by race_date) as after_day_before,
    from (
        select
            runners.{{entity}}_key as entity_key,
            runners.race_date,
            bool_or(runners.has_run) as has_started,
            min({{entity}}_elo) as lowest_before,
            max({{entity}}_elo) as highest_before,
            min({{entity}}_elo_after) as lowest_after,
            max({{entity}}_elo_after) as highest_after,
        from {{ref (lookup (list "horse_elo" "jockey_elo" "trainer_elo") @index)}} as ratings
        inner join {{ref "runners"}} as runners on ratings.runner_id = runners.runner_id
        where runners.{{entity}}_key is not null
        group by
            runners.{{entity}}_key,
            runners.race_date
    )
)
where
    lowest_before <> highest_before
    or lowest_after <> highest_after
    or (not has_started and highest_after <> highest_before)
    -- Until a first start a rating follows what the entity does elsewhere.
    or (
        highest_before <> after_day_before
        and exists (
            select 1
            from {{ref "runners"}} as earlier
            where
                earlier.{{entity}}_key = entity_key
                and earlier.has_run
                and earlier.race_date < race_date
        )
    )
{{#unless @last}}
union all
{{/unless}}
{{/each}}

{{!-- one row per starter: what is known before the race, and, once it has been run, what came of it --}}
with entries as (
    select
        results.*,
        race_facts.race_order,
        race_facts.location,
    from {{ref "stg_race_results"}} as results
    inner join {{ref "race_facts"}} as race_facts on results.race_id = race_facts.race_id
    where not results.is_scratched
),

fields as (
    select
        race_id,
        count(*) as total_runners,
        count(position) as finishers,
        -- A race has been run when one of its starters has a place; until then nothing in it is an outcome.
        count(position) > 0 as has_run,
        -- lint: accept unordered-pick: a race has one race_order
        -- lint: accept tie-break: no two races have the same race_order
        sum(max(card_order)) over (order by any_value(race_order) rows unbounded preceding) - max(card_order)
            as numbers_before,
    from entries
    group by race_id
),

starters as (
    select
        entries.* exclude (card_order, race_order, is_scratched),
        (fields.numbers_before + entries.card_order)::uinteger as runner_id,
        fields.total_runners::usmallint as total_runners,
        fields.has_run,
        fields.finishers::usmallint as finishers,
    from entries
    inner join fields on entries.race_id = fields.race_id
),

-- Small numbers in place of texts, so that windows and joins over the history sort integers: the runner_id of the
-- first start declared, which later starters do not change.
horses as (
    select
        horse_slug,
        location,
        min(runner_id) as horse_key,
        min(min(runner_id)) over (partition by horse_slug) as horse_slug_key,
    from starters
    group by
        horse_slug,
        location
),

{{#each (list "jockey" "trainer") as |person|}}
{{person}}s as (
    select
        {{person}}_slug,
        location,
        min(runner_id) as {{person}}_key,
    from starters
    where {{person}}_slug is not null
    group by
        {{person}}_slug,
        location
),

{{/each}}
final as (
    select
        starters.runner_id,
        starters.race_id,
        race_facts.race_date,
        race_facts.race_number,
        starters.has_run,

        starters.location,
        race_facts.track_key,
        race_facts.track_direction,
        race_facts.track_category,
        race_facts.track_type,
        race_facts.race_distance,
        race_facts.distance_range,
        race_facts.class_rating,
        race_facts.class_level_numeric,
        race_facts.track_condition_numeric,
        race_facts.is_wet_track,

        starters.horse_name,
        starters.horse_slug,
        starters.horse_number,
        starters.barrier,
        starters.weight::float as weight,
        starters.jockey,
        starters.jockey_slug,
        starters.trainer,
        starters.trainer_slug,
        starters.horse_slug || '-' || starters.location as horse_location_slug,
        starters.jockey_slug || '-' || starters.location as jockey_location_slug,
        starters.trainer_slug || '-' || starters.location as trainer_location_slug,
        horses.horse_key,
        horses.horse_slug_key,
        jockeys.jockey_key,
        trainers.trainer_key,

        starters.total_runners,
        barrier_position(starters.barrier, starters.total_runners) as barrier_position,
        starters.win_odds::double as win_odds,

        case when starters.has_run then starters.position end::usmallint as position,
        case when starters.has_run then starters.finish_status end as finish_status,
        case when starters.has_run then starters.margin end::float as margin,
        case when starters.has_run then coalesce(starters.position = 1, false) end as is_win,
        case when starters.has_run then coalesce(starters.position <= 3, false) end as is_place,
        case when starters.has_run then starters.position is not null end as is_finisher,
        case when starters.has_run then starters.finishers end as finishers,
        case
            when starters.has_run and starters.total_runners > 1 then
                coalesce(
                    greatest(
                        (starters.total_runners::integer - starters.position::integer)
                        / (starters.total_runners::integer - 1),
                        0
                    ),
                    0
                )
        end::float as beat_pct,
        case when starters.has_run then starters.prize_money end::float as runner_prize_money,
{{#each (list 800 400) as |to_go|}}
        case
            when not starters.has_run then null
            when checkpoints.position_{{to_go}}_to_go is not null then checkpoints.position_{{to_go}}_to_go
            -- Delivered with the result, counted to the finish, so that it needs no distance of the race; there is
            -- none with less than that to run.
            when coalesce(race_facts.race_distance > {{to_go}}, true) then starters.position_{{to_go}}m
        end::usmallint as position_{{to_go}}m,
        case
            when not starters.has_run then null
            when checkpoints.position_{{to_go}}_to_go is not null then 'sectional_times'
            when coalesce(race_facts.race_distance > {{to_go}}, true) and starters.position_{{to_go}}m is not null
                then 'race_results'
        end as position_{{to_go}}m_origin,
{{/each}}
        case when starters.has_run and starters.position is not null then checkpoints.finish_seconds end::float
            as raw_time_seconds,
    from starters
    inner join {{ref "race_facts"}} as race_facts on starters.race_id = race_facts.race_id
    inner join horses
        on starters.horse_slug = horses.horse_slug
        and starters.location = horses.location
    left join jockeys
        on starters.jockey_slug = jockeys.jockey_slug
        and starters.location = jockeys.location
    left join trainers
        on starters.trainer_slug = trainers.trainer_slug
        and starters.location = trainers.location
    left join {{ref "checkpoints"}} as checkpoints
        on starters.race_id = checkpoints.race_id
        and starters.horse_slug = checkpoints.horse_slug
)

select
    *,
    case
        when total_runners > 1 then (position_800m::integer - 1) / (total_runners::integer - 1)
    end::float as settle_pct,
from final
order by runner_id

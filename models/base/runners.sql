{{!-- one row per starter: what is known before the race, and, once it has been run, what came of it --}}
with starters as (
    select
        results.race_id,
        race_facts.race_order,
        race_facts.location,
        race_facts.track_slug,
        race_facts.race_distance,
        results.horse_name,
        results.horse_slug,
        results.horse_number,
        results.barrier,
        results.weight,
        results.jockey,
        results.jockey_slug,
        results.trainer,
        results.trainer_slug,
        results.win_odds,
        results.position,
        results.finish_status,
        results.margin,
        results.prize_money,
        results.position_800m,
        results.position_400m,
        results.horse_slug || '-' || race_facts.location as horse_location_slug,
        results.jockey_slug || '-' || race_facts.location as jockey_location_slug,
        results.trainer_slug || '-' || race_facts.location as trainer_location_slug,
        -- Here, where rows are still narrow: numbering sorts them.
        row_number() over (order by race_facts.race_order, results.horse_slug)::uinteger as runner_id,
    from {{ref "stg_race_results"}} as results
    inner join {{ref "race_facts"}} as race_facts on results.race_id = race_facts.race_id
    where not results.is_scratched
),

fields as (
    select
        race_id,
        count(*)::usmallint as total_runners,
        count(position)::usmallint as finishers,
        -- A race has been run when one of its starters has a place; until then nothing in it is an outcome.
        count(position) > 0 as has_run,
    from starters
    group by race_id
),

-- Small numbers in place of texts, so that windows and joins over the history sort integers.
horses as (
    select horse_location_slug, row_number() over (order by horse_location_slug)::uinteger as horse_key
    from (select distinct horse_location_slug from starters)
),

horse_slugs as (
    select horse_slug, row_number() over (order by horse_slug)::uinteger as horse_slug_key
    from (select distinct horse_slug from starters)
),

jockeys as (
    select jockey_location_slug, row_number() over (order by jockey_location_slug)::uinteger as jockey_key
    from (select distinct jockey_location_slug from starters where jockey_location_slug is not null)
),

trainers as (
    select trainer_location_slug, row_number() over (order by trainer_location_slug)::uinteger as trainer_key
    from (select distinct trainer_location_slug from starters where trainer_location_slug is not null)
),

courses as (
    select location, track_slug, row_number() over (order by location, track_slug)::uinteger as track_key
    from (select distinct location, track_slug from starters)
),

outcomes as (
    select
        starters.* exclude (position, finish_status, margin, prize_money, position_800m, position_400m),
        fields.total_runners,
        fields.has_run,
        case when fields.has_run then fields.finishers end as finishers,
        case when fields.has_run then starters.position end::usmallint as position,
        case when fields.has_run then starters.finish_status end as finish_status,
        case when fields.has_run then starters.margin end::float as margin,
        case when fields.has_run then starters.prize_money end::float as runner_prize_money,
{{#each (list 800 400) as |to_go|}}
        case
            when not fields.has_run then null
            when checkpoints.position_{{to_go}}_to_go is not null then checkpoints.position_{{to_go}}_to_go
            -- Delivered with the result, counted to the finish, so that it needs no distance of the race; there is
            -- none with less than that to run.
            when coalesce(starters.race_distance > {{to_go}}, true) then starters.position_{{to_go}}m
        end::usmallint as position_{{to_go}}m,
        case
            when not fields.has_run then null
            when checkpoints.position_{{to_go}}_to_go is not null then 'sectional_times'
            when coalesce(starters.race_distance > {{to_go}}, true) and starters.position_{{to_go}}m is not null
                then 'race_results'
        end as position_{{to_go}}m_origin,
{{/each}}
        case when fields.has_run and starters.position is not null then checkpoints.finish_seconds end::float
            as raw_time_seconds,
    from starters
    inner join fields on starters.race_id = fields.race_id
    left join {{ref "checkpoints"}} as checkpoints
        on starters.race_id = checkpoints.race_id
        and starters.horse_slug = checkpoints.horse_slug
),

final as (
    select
        outcomes.runner_id,
        outcomes.race_id,
        race_facts.race_date,
        race_facts.race_number,
        outcomes.has_run,

        race_facts.track_name,
        race_facts.track_slug,
        race_facts.location,
        race_facts.track_direction,
        race_facts.track_category,
        race_facts.track_type,
        race_facts.race_distance,
        race_facts.distance_range,
        race_facts.race_class,
        race_facts.class_rating,
        race_facts.class_level_numeric,
        race_facts.is_maiden_race,
        race_facts.is_handicap_race,
        race_facts.age_restriction,
        race_facts.sex_restriction,
        race_facts.track_condition,
        race_facts.track_condition_numeric,
        race_facts.is_wet_track,
        race_facts.rail_out_metres,
        race_facts.is_rail_true,
        race_facts.race_prize_money,

        outcomes.horse_name,
        outcomes.horse_slug,
        outcomes.horse_number,
        outcomes.barrier,
        outcomes.weight::float as weight,
        outcomes.jockey,
        outcomes.jockey_slug,
        outcomes.trainer,
        outcomes.trainer_slug,
        outcomes.horse_location_slug,
        outcomes.jockey_location_slug,
        outcomes.trainer_location_slug,
        horses.horse_key,
        horse_slugs.horse_slug_key,
        jockeys.jockey_key,
        trainers.trainer_key,
        courses.track_key,

        outcomes.total_runners,
        barrier_position(outcomes.barrier, outcomes.total_runners) as barrier_position,
        outcomes.win_odds::double as win_odds,

        outcomes.position,
        outcomes.finish_status,
        outcomes.margin,
        case when outcomes.has_run then coalesce(outcomes.position = 1, false) end as is_win,
        case when outcomes.has_run then coalesce(outcomes.position <= 3, false) end as is_place,
        case when outcomes.has_run then outcomes.position is not null end as is_finisher,
        outcomes.finishers,
        case
            when outcomes.has_run and outcomes.total_runners > 1 then
                coalesce(
                    greatest(
                        (outcomes.total_runners::integer - outcomes.position::integer)
                        / (outcomes.total_runners::integer - 1),
                        0
                    ),
                    0
                )
        end::float as beat_pct,
        outcomes.runner_prize_money,
        outcomes.position_800m,
        outcomes.position_400m,
        outcomes.position_800m_origin,
        outcomes.position_400m_origin,
        case
            when outcomes.total_runners > 1
                then (outcomes.position_800m::integer - 1) / (outcomes.total_runners::integer - 1)
        end::float as settle_pct,
        outcomes.raw_time_seconds,
    from outcomes
    inner join {{ref "race_facts"}} as race_facts on outcomes.race_id = race_facts.race_id
    inner join horses on outcomes.horse_location_slug = horses.horse_location_slug
    inner join horse_slugs on outcomes.horse_slug = horse_slugs.horse_slug
    inner join courses
        on outcomes.location = courses.location
        and outcomes.track_slug = courses.track_slug
    left join jockeys on outcomes.jockey_location_slug = jockeys.jockey_location_slug
    left join trainers on outcomes.trainer_location_slug = trainers.trainer_location_slug
)

select * from final

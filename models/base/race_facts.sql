{{!-- one row per race: what is known of it before it is run, in the words of the seeds --}}
with races as (
    select * from {{ref "stg_races"}}
),

worded as (
    select
        races.race_id,
        races.race_date,
        races.race_number,
        races.track_name,
        track_names.track_slug,
        track_names.location,
        track_names.track_direction,
        track_names.track_category,
        track_type(races.surface, track_names.usual_track_type) as track_type,
        races.race_distance,
        distance_range(races.race_distance) as distance_range,
        races.race_class,
        class_words.class_rating,
        class_words.class_level_numeric,
        class_words.is_maiden_race,
        class_words.is_handicap_race,
        class_words.age_restriction,
        class_words.sex_restriction,
        races.track_condition,
        case
            when track_type(races.surface, track_names.usual_track_type) is distinct from 'synthetic'
                then going_words.track_condition_numeric
        end as track_condition_numeric,
        rail_out(races.track_info) as rail_out_metres,
        races.prize_money as race_prize_money,
        -- The order in which races are walked through wherever an order is needed: unique, and never the outcome.
        row_number() over (
            order by races.race_date, races.race_number nulls last, races.race_id
        )::uinteger as race_order,
    from races
    inner join {{ref "track_names"}} as track_names on races.track_name = track_names.track_name
    left join {{ref "class_words"}} as class_words
        on track_names.location = class_words.location
        and races.race_class = class_words.race_class
    left join {{ref "going_words"}} as going_words
        on track_names.location = going_words.location
        and races.track_condition = going_words.track_condition
),

-- Small numbers in place of texts: a text costs four times as much to store a starter, and more to sort by. Joined:
-- windows carried all columns through four sortings.
tracks as (
    select
        location,
        track_slug,
        min(race_order) as track_key,
    from worded
    group by
        location,
        track_slug
),
{{#each (list (list "direction" "track_direction") (list "category" "track_category") (list "distance" "distance_range")) as |pair|}}

{{pair.[0]}}_keys as (
    select
        {{pair.[1]}},
        min(race_order) as {{pair.[0]}}_key,
    from worded
    group by {{pair.[1]}}
),
{{/each}}

final as (
    select
        worded.*,
        tracks.track_key,
        direction_keys.direction_key,
        category_keys.category_key,
        distance_keys.distance_key,
        worded.track_category = 'metro' as is_metro_track,
        worded.track_condition_numeric >= {{var "wet_track_from"}} as is_wet_track,
        worded.rail_out_metres = 0 as is_rail_true,
    from worded
    inner join tracks
        on worded.location = tracks.location
        and worded.track_slug is not distinct from tracks.track_slug
    left join direction_keys on worded.track_direction = direction_keys.track_direction
    left join category_keys on worded.track_category = category_keys.track_category
    left join distance_keys on worded.distance_range = distance_keys.distance_range
)

select * from final

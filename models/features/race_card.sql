{{!-- one row per starter: what the card says before the race --}}
with final as (
    select
        runner_id,
        race_id,
        race_date,
        race_number,

        track_name,
        track_slug,
        location,
        track_direction,
        track_category,
        track_type,
        race_distance,
        distance_range,
        race_class,
        class_rating,
        class_level_numeric,
        is_maiden_race,
        is_handicap_race,
        age_restriction,
        sex_restriction,
        track_condition,
        track_condition_numeric,
        is_wet_track,
        rail_out_metres,
        is_rail_true,
        race_prize_money,

        horse_name,
        horse_slug,
        horse_location_slug,
        horse_number,
        barrier,
        barrier_position,
        -- Three metres of rail shift the field by about one gate. greatest() skips NULL: alone it would answer 1.
        case
            when barrier is not null and rail_out_metres is not null
                then greatest(barrier - rail_out_metres / 3, 1)
        end::float as effective_barrier,
        weight,
        jockey,
        jockey_slug,
        jockey_location_slug,
        trainer,
        trainer_slug,
        trainer_location_slug,
        total_runners,
    from {{ref "runners"}}
)

select * from final
order by runner_id

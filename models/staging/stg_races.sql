{{!-- one row per race, cleaned; only this model reads the source --}}
with source as (
    select * from {{source "races"}}
),

cleaned as (
    select
        race_id,
        race_date,
        case when race_number > 0 then race_number end as race_number,
        trim(decode_entities(track_name)) as track_name,
        case when race_distance > 0 then race_distance end as race_distance,
        nullif(trim(decode_entities(race_class)), '') as race_class,
        nullif(trim(surface), '') as surface,
        nullif(trim(track_condition), '') as track_condition,
        nullif(trim(track_weather), '') as track_weather,
        nullif(trim(track_info), '') as track_info,
        case when prize_money > 0 then prize_money end as prize_money,
        updated_at,
    from source
    where
        race_id is not null
        -- Placeholders such as 0001-01-01, 9999-12-31 or infinity are no dates: see source_races_unusable.
        and race_date between date '1900-01-01' and date '2099-12-31'
),

-- A race that stands twice: the row written last; without a timestamp one that does not depend on physical order.
final as (
    select * exclude (updated_at)
    from cleaned
    qualify row_number() over (
        partition by race_id
        order by
            updated_at desc nulls last,
            race_date desc,
            race_number desc nulls last,
            track_name desc,
            race_distance desc nulls last,
            race_class desc nulls last,
            track_condition desc nulls last,
            surface desc nulls last,
            track_info desc nulls last,
            prize_money desc nulls last,
            track_weather desc nulls last
    ) = 1
)

select * from final

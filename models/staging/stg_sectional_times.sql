{{!-- one row per timed runner as delivered: saddlecloth numbers as text, ranks without sentinels --}}
with source as (
    select * from {{source "sectional_times"}}
),

final as (
    select
        race_id,
        saddlecloth(horse_number) as horse_number,
        horse_name,
{{#each (list 200 400 600 800 1000 1200 1400 1600 1800 2000 2200 2400 2600 2800 3000) as |metres|}}
        case when position_{{metres}}m between 1 and 49 then position_{{metres}}m end as position_{{metres}}m,
{{/each}}
{{#each (list 200 400 600 800 1000 1200 1400 1600 1800 2000 2200 2400 2600 2800 3000) as |metres|}}
        cumulative_{{metres}}m,
{{/each}}
{{#each (list 200 400 600 800 1000 1200 1400 1600 1800 2000 2200 2400 2600 2800 3000) as |metres|}}
        sectional_{{metres}}m,
{{/each}}
        finish_time,
        case when finish_position between 1 and 49 then finish_position end as finish_position,
    from source
    where race_id is not null
)

select * from final

{{config severity="warn"}}
{{!-- places of a race are gapless but for dead heats: k runners ahead of a place k + 1; a warning, the source may lack rows --}}
with places as (
    select
        race_id,
        position,
        rank() over (partition by race_id order by position) as expected,
    from {{ref "runners"}}
    where position is not null
)

select
    race_id,
    min(position) as first_place,
    count(*) filter (where position <> expected) as out_of_order,
from places
group by race_id
having count(*) filter (where position <> expected) > 0

{{config severity="warn"}}
{{!-- two rows for one horse in one race with different content; the later updated_at, else the higher id, was taken --}}
select
    race_id,
    horse_slug,
    count(*) as versions,
from (
    select distinct * exclude (id, updated_at)
    from {{source "race_results"}}
    where horse_slug is not null
)
group by
    race_id,
    horse_slug
having count(*) > 1

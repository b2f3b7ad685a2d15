{{!-- one row per starter, and a number that stands for it alone --}}
select
    race_id,
    horse_slug,
    count(*) as copies,
from {{ref "runners"}}
group by
    race_id,
    horse_slug
having count(*) > 1
union all
select
    min(race_id),
    min(horse_slug),
    count(*) as copies,
from {{ref "runners"}}
group by runner_id
having count(*) > 1

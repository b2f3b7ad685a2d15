{{!-- a key that stands for two horses, jockeys or trainers --}}
select
    'horse_key' as key,
    horse_key::varchar as value,
from {{ref "runners"}}
group by horse_key
having min(horse_slug) <> max(horse_slug) or min(location) <> max(location)
union all
select
    'horse_slug_key' as key,
    horse_slug_key::varchar as value,
from {{ref "runners"}}
group by horse_slug_key
having min(horse_slug) <> max(horse_slug)
union all
select
    'jockey_key' as key,
    jockey_key::varchar as value,
from {{ref "runners"}}
group by jockey_key
having min(jockey_slug) <> max(jockey_slug) or min(location) <> max(location)
union all
select
    'trainer_key' as key,
    trainer_key::varchar as value,
from {{ref "runners"}}
group by trainer_key
having min(trainer_slug) <> max(trainer_slug) or min(location) <> max(location)

{{!-- one row per starter: horse, jockey and trainer in the location of the race, as whose their history is kept --}}
select
    runner_id,
    race_id,
    race_date,
    horse_slug || '-' || location as horse_location_slug,
    jockey_slug || '-' || location as jockey_location_slug,
    trainer_slug || '-' || location as trainer_location_slug,
from {{ref "runners"}}

{{!-- one row per starter: rates of few starts, drawn towards what their owner does anywhere, before the day of the race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    {{> shrunk_rates}}
from {{ref "runners"}} as runners
positional join {{ref "career"}} as career
positional join {{ref "track"}} as track
positional join {{ref "distance"}} as distance
positional join {{ref "going"}} as going
positional join {{ref "barrier"}} as barrier
positional join {{ref "spells"}} as spells
positional join {{ref "cross_region"}} as cross_region
positional join {{ref "connections"}} as connections
positional join {{ref "jockey"}} as jockey
positional join {{ref "trainer"}} as trainer
inner join {{ref "location_rates"}} as location_rates
    on runners.location = location_rates.location
    and runners.race_date = location_rates.race_date
where
    is_in_step(runners.runner_id, career.runner_id, 'career')
    and is_in_step(runners.runner_id, track.runner_id, 'track')
    and is_in_step(runners.runner_id, distance.runner_id, 'distance')
    and is_in_step(runners.runner_id, going.runner_id, 'going')
    and is_in_step(runners.runner_id, barrier.runner_id, 'barrier')
    and is_in_step(runners.runner_id, spells.runner_id, 'spells')
    and is_in_step(runners.runner_id, cross_region.runner_id, 'cross_region')
    and is_in_step(runners.runner_id, connections.runner_id, 'connections')
    and is_in_step(runners.runner_id, jockey.runner_id, 'jockey')
    and is_in_step(runners.runner_id, trainer.runner_id, 'trainer')

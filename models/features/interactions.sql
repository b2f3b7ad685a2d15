{{!-- one row per starter: products of features that work together; nothing here knows the odds of this race --}}
select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    {{> interactions}}
from {{ref "runners"}} as runners
positional join {{ref "rating_features"}} as rating_features
positional join {{ref "form"}} as form
positional join {{ref "jockey"}} as jockey
positional join {{ref "trainer"}} as trainer
positional join {{ref "track"}} as track
positional join {{ref "distance"}} as distance
positional join {{ref "running_style"}} as running_style
positional join {{ref "pace"}} as pace
where
    is_in_step(runners.runner_id, rating_features.runner_id, 'rating_features')
    and is_in_step(runners.runner_id, form.runner_id, 'form')
    and is_in_step(runners.runner_id, jockey.runner_id, 'jockey')
    and is_in_step(runners.runner_id, trainer.runner_id, 'trainer')
    and is_in_step(runners.runner_id, track.runner_id, 'track')
    and is_in_step(runners.runner_id, distance.runner_id, 'distance')
    and is_in_step(runners.runner_id, running_style.runner_id, 'running_style')
    and is_in_step(runners.runner_id, pace.runner_id, 'pace')

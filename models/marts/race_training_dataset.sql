{{!-- one row per starter of a race that has been run: every feature as of the day before, and what came of it --}}
with final as (
    select
        race_dataset.* exclude (runner_id),
        race_labels.* exclude (runner_id, race_id, horse_slug, has_run),
    from {{ref "race_dataset"}} as race_dataset
    positional join {{ref "race_labels"}} as race_labels
    where
        is_in_step(race_dataset.runner_id, race_labels.runner_id, 'race_labels')
        and race_labels.has_run
)

select * from final

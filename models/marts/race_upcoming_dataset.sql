{{!-- one row per starter of a race not run yet: the features of the training dataset, from the same code --}}
with final as (
    select race_dataset.* exclude (runner_id)
    from {{ref "race_dataset"}} as race_dataset
    positional join {{ref "race_labels"}} as race_labels
    where
        is_in_step(race_dataset.runner_id, race_labels.runner_id, 'race_labels')
        and not race_labels.has_run
)

select * from final

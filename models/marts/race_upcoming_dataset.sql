{{!-- one row per starter of a race not run yet: the features of the training dataset, from the same code --}}
with final as (
    select race_dataset.* exclude (runner_id)
    from {{ref "race_dataset"}} as race_dataset
    inner join {{ref "runners"}} as runners on race_dataset.runner_id = runners.runner_id
    where not runners.has_run
)

select * from final

{{!-- one row per starter: the class of the race against those the horse ran in and won before the day of the race --}}
with starts as (
    select
        runner_id,
        class_rating,
        class_level_numeric,
        max(class_rating) filter (where is_win) over so_far as best_class_won,
        max(class_rating) filter (where is_place) over so_far as best_class_placed,
        avg(class_rating::decimal(9, 2)) over last_5 as last_5_avg_class_rating,
    from {{ref "runners"}}
    where has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window
        so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row),
        last_5 as (partition by horse_key order by runner_id rows between 4 preceding and current row)
)

select
    runners.runner_id,
    runners.race_id,
    runners.race_date,

    starts.class_rating as prev_class_rating,
    runners.class_rating - starts.class_rating as class_change,
    case
        when runners.class_rating is not null and starts.class_rating is not null
            then greatest(starts.class_rating - runners.class_rating, 0)
    end::float as class_drop,
    case
        when runners.class_rating is not null and starts.class_rating is not null
            then greatest(runners.class_rating - starts.class_rating, 0)
    end::float as class_rise,
    runners.class_level_numeric > starts.class_level_numeric as is_stepping_up,
    runners.class_level_numeric < starts.class_level_numeric as is_stepping_down,
    starts.best_class_won,
    runners.class_rating - starts.best_class_won as class_vs_best_won,
    starts.best_class_placed,
    runners.class_rating - starts.best_class_placed as class_vs_best_placed,
    starts.last_5_avg_class_rating::float as last_5_avg_class_rating,
    (runners.class_rating - starts.last_5_avg_class_rating)::float as class_vs_last_5_avg,
from {{ref "runners"}} as runners
positional join {{ref "previous_starts"}} as previous_starts
left join starts on previous_starts.horse_start = starts.runner_id
where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
order by runner_id

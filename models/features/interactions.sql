{{!-- one row per starter: products of features that work together; nothing here knows the odds of this race --}}
with final as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,

        (rating_features.horse_elo / {{var "elo_first"}} * jockey.jockey_win_rate)::float as elo_x_jockey_win_rate,
        (rating_features.horse_elo / {{var "elo_first"}} * trainer.trainer_win_rate)::float as elo_x_trainer_win_rate,
        (runners.weight / 55 * rating_features.horse_elo / {{var "elo_first"}})::float as weight_x_elo,
        (runners.barrier / runners.total_runners)::float as barrier_x_total_runners,
        (200 * runners.barrier / runners.race_distance)::float as barrier_x_distance,
        (form.form_momentum * form.form_recency_score)::float as form_x_freshness,
        (track.track_win_rate * distance.distance_win_rate)::float as track_wr_x_distance_wr,
        -- Plus 0 turns a minus zero into zero: they are equal, but not the same to whoever hashes rows.
        (
            (1 - 2 * running_style.expected_settle_pct)
            * (1 - 2 * (runners.barrier - 1) / nullif(runners.total_runners::integer - 1, 0))
            + 0
        )::float as running_style_x_barrier,
        running_style.running_style || '_' || distance_range(runners.race_distance) as running_style_x_distance_bucket,
        (jockey.jockey_win_rate_shrunk * trainer.trainer_win_rate_shrunk)::float as jockey_wr_x_trainer_wr,
        (running_style.closing_ability_score * pace.pace_pressure)::float as closing_ability_x_pace_pressure,
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
)

select * from final
order by runner_id

{{!-- one row per starter: its history and card against the mean of the field it meets, itself included --}}
with field_values as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        career.is_first_timer,
        -- Decimals: a mean over the field is then the same in whatever order it is added up.
        runners.weight::decimal(18, 9) as weight,
        career.win_percentage::decimal(18, 9) as win_percentage,
        career.place_percentage::decimal(18, 9) as place_percentage,
        career.total_races::decimal(18, 9) as total_races,
        form.last_5_avg_beat_pct::decimal(18, 9) as last_5_avg_beat_pct,
        form.form_momentum::decimal(18, 9) as form_momentum,
        career.days_since_last_race::decimal(18, 9) as days_since_last_race,
        class.last_5_avg_class_rating::decimal(18, 9) as last_5_avg_class_rating,
        class.best_class_won::decimal(18, 9) as best_class_won,
        speed.avg_speed_figure_3::decimal(18, 9) as avg_speed_figure_3,
        speed.best_speed_figure::decimal(18, 9) as best_speed_figure,
        sectional_form.avg_last_400m_vs_race::decimal(18, 9) as avg_last_400m_vs_race,
        jockey.jockey_win_rate_shrunk::decimal(18, 9) as jockey_win_rate_shrunk,
        trainer.trainer_win_rate_shrunk::decimal(18, 9) as trainer_win_rate_shrunk,
    from {{ref "runners"}} as runners
    positional join {{ref "career"}} as career
    positional join {{ref "form"}} as form
    positional join {{ref "class"}} as class
    positional join {{ref "speed"}} as speed
    positional join {{ref "sectional_form"}} as sectional_form
    positional join {{ref "jockey"}} as jockey
    positional join {{ref "trainer"}} as trainer
    where
        is_in_step(runners.runner_id, career.runner_id, 'career')
        and is_in_step(runners.runner_id, form.runner_id, 'form')
        and is_in_step(runners.runner_id, class.runner_id, 'class')
        and is_in_step(runners.runner_id, speed.runner_id, 'speed')
        and is_in_step(runners.runner_id, sectional_form.runner_id, 'sectional_form')
        and is_in_step(runners.runner_id, jockey.runner_id, 'jockey')
        and is_in_step(runners.runner_id, trainer.runner_id, 'trainer')
),

races as (
    select
        race_id,
        avg(is_first_timer::integer) as first_timers_share,
        avg(weight) as weight,
        avg(win_percentage) as win_percentage,
        avg(place_percentage) as place_percentage,
        avg(total_races) as total_races,
        avg(last_5_avg_beat_pct) as last_5_avg_beat_pct,
        avg(form_momentum) as form_momentum,
        avg(days_since_last_race) as days_since_last_race,
        avg(last_5_avg_class_rating) as last_5_avg_class_rating,
        avg(best_class_won) as best_class_won,
        avg(avg_speed_figure_3) as avg_speed_figure_3,
        max(avg_speed_figure_3) as top_speed_figure_3,
        avg(best_speed_figure) as best_speed_figure,
        avg(avg_last_400m_vs_race) as avg_last_400m_vs_race,
        avg(jockey_win_rate_shrunk) as jockey_win_rate_shrunk,
        avg(trainer_win_rate_shrunk) as trainer_win_rate_shrunk,
    from field_values
    group by race_id
),

final as (
    select
        field_values.runner_id,
        field_values.race_id,
        field_values.race_date,

        (field_values.win_percentage - races.win_percentage)::float as win_pct_vs_field_avg,
        (field_values.place_percentage - races.place_percentage)::float as place_pct_vs_field_avg,
        (field_values.total_races - races.total_races)::float as experience_vs_field_avg,
        (field_values.last_5_avg_beat_pct - races.last_5_avg_beat_pct)::float as form_vs_field_avg,
        (field_values.form_momentum - races.form_momentum)::float as momentum_vs_field_avg,
        (field_values.days_since_last_race - races.days_since_last_race)::float as days_off_vs_field_avg,
        (field_values.weight - races.weight)::float as weight_vs_field_avg,
        (field_values.last_5_avg_class_rating - races.last_5_avg_class_rating)::float as class_vs_field_avg,
        (field_values.best_class_won - races.best_class_won)::float as best_class_won_vs_field_avg,
        (field_values.avg_speed_figure_3 - races.avg_speed_figure_3)::float as speed_vs_field_avg,
        (field_values.avg_speed_figure_3 - races.top_speed_figure_3)::float as speed_vs_field_best,
        (field_values.best_speed_figure - races.best_speed_figure)::float as best_speed_vs_field_avg,
        (field_values.avg_last_400m_vs_race - races.avg_last_400m_vs_race)::float as late_speed_vs_field_avg,
        (field_values.jockey_win_rate_shrunk - races.jockey_win_rate_shrunk)::float as jockey_vs_field_avg,
        (field_values.trainer_win_rate_shrunk - races.trainer_win_rate_shrunk)::float as trainer_vs_field_avg,
        races.first_timers_share::float as field_first_timers_share,
        races.total_races::float as field_avg_races,
        races.avg_speed_figure_3::float as field_avg_speed_figure,
    from field_values
    inner join races on field_values.race_id = races.race_id
)

select * from final
order by runner_id

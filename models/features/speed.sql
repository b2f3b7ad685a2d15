{{!-- one row per starter: the horse's speed figures before the day of the race, of all runs and at this distance --}}
with figures as (
    select
        *,
        speed_figure::decimal(18, 6) as figure,
    from {{ref "speed_figures"}}
    where horse_key is not null
),

summed as (
    select
        horse_key,
        race_date,
        distance_range,
        count(*) over career as figures_count,
        max(figure) over career as best_figure,
        sum(figure) over career as figure_sum,
        sum(figure * figure) over career as figure_squares,
        figure as last_figure,
        avg(figure) over latest_three as mean_figure_3,
        max(figure) over latest_five as best_figure_5,
        count(*) over latest_five as count_5,
        sum(run_number) over latest_five as run_sum_5,
        sum(figure) over latest_five as figure_sum_5,
        sum(run_number * figure) over latest_five as product_sum_5,
        sum(run_number * run_number) over latest_five as run_squares_5,
        count(*) over at_distance as distance_count,
        avg(figure) over at_distance as distance_mean,
        max(figure) over at_distance as distance_best,
        lead(race_date) over (partition by horse_key order by runner_id) is distinct from race_date
            as is_last_of_day,
        lead(race_date) over (partition by horse_key, distance_range order by runner_id)
            is distinct from race_date as is_last_of_day_at_distance,
    from (
        select
            *,
            row_number() over (partition by horse_key order by runner_id) as run_number,
        from figures
    ) as numbered
    window
        career as (
            partition by horse_key
            order by runner_id
            rows between unbounded preceding and current row
        ),
        latest_three as (
            partition by horse_key
            order by runner_id
            rows between 2 preceding and current row
        ),
        latest_five as (
            partition by horse_key
            order by runner_id
            rows between 4 preceding and current row
        ),
        at_distance as (
            partition by horse_key, distance_range
            order by runner_id
            rows between unbounded preceding and current row
        )
),

days as (
    select * from summed where is_last_of_day
),

days_at_distance as (
    select * from summed where is_last_of_day_at_distance
),

final as (
    select
        runners.runner_id,
        runners.race_id,
        runners.horse_slug,
        runners.race_date,

        coalesce(days.figures_count, 0)::usmallint as speed_figures_count,
        (days.figure_sum / days.figures_count)::float as avg_speed_figure,
        days.best_figure::float as best_speed_figure,
        days.last_figure::float as last_speed_figure,
        days.mean_figure_3::float as avg_speed_figure_3,
        days.best_figure_5::float as best_speed_figure_5,
        line_slope(
            days.count_5, days.run_sum_5, days.figure_sum_5, days.product_sum_5, days.run_squares_5
        )::float as speed_figure_slope_5,
        sample_spread(days.figures_count, days.figure_sum, days.figure_squares)::float as speed_figure_spread,
        coalesce(days_at_distance.distance_count, 0)::usmallint as speed_figures_at_distance_count,
        days_at_distance.distance_mean::float as avg_speed_figure_at_distance,
        days_at_distance.distance_best::float as best_speed_figure_at_distance,
    from {{ref "runners"}} as runners
    asof left join days
        on runners.horse_key = days.horse_key
        and runners.race_date > days.race_date
    asof left join days_at_distance
        on runners.horse_key = days_at_distance.horse_key
        and runners.distance_range = days_at_distance.distance_range
        and runners.race_date > days_at_distance.race_date
)

select * from final
order by runner_id

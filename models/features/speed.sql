{{!-- one row per starter: the horse's speed figures before the day of the race, of all runs and at this distance --}}
with figures as (
    select
        *,
        speed_figure::decimal(18, 6) as figure,
        row_number() over (partition by horse_key order by runner_id) as run_number,
    from {{ref "speed_figures"}}
),

summed as (
    select
        runner_id,
        count(*) over career as figures_count,
        max(figure) over career as best_figure,
        sum(figure) over career as figure_sum,
        sum(figure * figure) over career as figure_squares,
        figure as last_figure,
        avg(figure) over latest_three as mean_figure_3,
        max(figure) over latest_five as best_figure_5,
        count(*) over latest_five as count_5,
        sum(run_number::double) over latest_five as run_sum_5,
        sum(figure) over latest_five as figure_sum_5,
        sum(run_number * figure) over latest_five as product_sum_5,
        sum((run_number * run_number)::double) over latest_five as run_squares_5,
        count(*) over at_distance as distance_count,
        avg(figure) over at_distance as distance_mean,
        max(figure) over at_distance as distance_best,
    from figures
    -- lint: accept current-row: read through figured_start, which points to an earlier day
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
            partition by horse_key, distance_key
            order by runner_id
            rows between unbounded preceding and current row
        )
),

-- A start's own values, before 500,000 starters read those of 200,000 runs.
states as (
    select
        runner_id,
        figures_count::usmallint as speed_figures_count,
        (figure_sum / figures_count)::float as avg_speed_figure,
        best_figure::float as best_speed_figure,
        last_figure::float as last_speed_figure,
        mean_figure_3::float as avg_speed_figure_3,
        best_figure_5::float as best_speed_figure_5,
        line_slope(count_5, run_sum_5, figure_sum_5, product_sum_5, run_squares_5)::float as speed_figure_slope_5,
        sample_spread(figures_count, figure_sum, figure_squares)::float as speed_figure_spread,
        distance_count::usmallint as speed_figures_at_distance_count,
        distance_mean::float as avg_speed_figure_at_distance,
        distance_best::float as best_speed_figure_at_distance,
    from summed
),

-- The horse's latest runs with a figure on earlier days, of all and at this distance.
latest as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        max(speed_figures.runner_id) over anywhere as figured_start,
        case when runners.distance_key is not null then max(speed_figures.runner_id) over at_distance end
            as figured_start_at_distance,
    from {{ref "runners"}} as runners
    left join {{ref "speed_figures"}} as speed_figures on runners.runner_id = speed_figures.runner_id
    window
        anywhere as (
            partition by runners.horse_key order by runners.race_date
            groups between unbounded preceding and 1 preceding
        ),
        at_distance as (
            partition by runners.horse_key, runners.distance_key order by runners.race_date
            groups between unbounded preceding and 1 preceding
        )
)

select
    latest.runner_id,
    latest.race_id,
    latest.race_date,

    coalesce(past.speed_figures_count, 0)::usmallint as speed_figures_count,
    past.avg_speed_figure,
    past.best_speed_figure,
    past.last_speed_figure,
    past.avg_speed_figure_3,
    past.best_speed_figure_5,
    past.speed_figure_slope_5,
    past.speed_figure_spread,
    coalesce(past_at_distance.speed_figures_at_distance_count, 0)::usmallint as speed_figures_at_distance_count,
    past_at_distance.avg_speed_figure_at_distance,
    past_at_distance.best_speed_figure_at_distance,
from latest
left join states as past on latest.figured_start = past.runner_id
left join states as past_at_distance on latest.figured_start_at_distance = past_at_distance.runner_id
order by runner_id

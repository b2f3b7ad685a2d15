{{!-- one row per starter: the horse's speed figures before the day of the race, of all runs and at this distance --}}
with figures as (
    select
        *,
        speed_figure::decimal(18, 6) as figure,
    from {{ref "speed_figures"}}
),

-- lint: accept current-row: read through figured_start, which points to an earlier day
-- lint: accept frame-not-by-day: lag counts back from that day, to starts before it
summed as (
    select
        runner_id,
        (row_number() over in_order)::integer as run_number,
        max(figure) over career as best_figure,
        sum(figure) over career as figure_sum,
        sum(figure * figure) over career as figure_squares,
{{#each (list 0 1 2 3 4) as |back|}}
        lag(figure, {{back}}) over in_order as figure_{{back}},
{{/each}}
        count(*) over at_distance as distance_count,
        avg(figure) over at_distance as distance_mean,
        max(figure) over at_distance as distance_best,
    from figures
    window
        in_order as (partition by horse_key order by runner_id),
        career as (
            partition by horse_key
            order by runner_id
            rows between unbounded preceding and current row
        ),
        at_distance as (
            partition by horse_key, distance_key
            order by runner_id
            rows between unbounded preceding and current row
        )
),

-- The latest five by how many runs ago they were. A look back costs a sixth of a sum over a frame.
latest_five as (
    select
        *,
        least(run_number, 5) as runs,
        least(run_number, 3) as runs_of_3,
        figure_0 + coalesce(figure_1, 0.0) + coalesce(figure_2, 0.0) as figure_sum_3,
        figure_0{{#each (list 1 2 3 4) as |back|}} + coalesce(figure_{{back}}, 0.0){{/each}} as figure_sum_5,
        coalesce(figure_1, 0.0){{#each (list 2 3 4) as |back|}} + {{back}} * coalesce(figure_{{back}}, 0.0){{/each}}
            as product_sum_5,
    from summed
),

-- A start's own values, before 500,000 starters read those of 200,000 runs.
states as (
    select
        runner_id,
        run_number::usmallint as speed_figures_count,
        (figure_sum / run_number)::float as avg_speed_figure,
        best_figure::float as best_speed_figure,
        figure_0::float as last_speed_figure,
        (figure_sum_3::double / runs_of_3)::float as avg_speed_figure_3,
        greatest(figure_0, figure_1, figure_2, figure_3, figure_4)::float as best_speed_figure_5,
        line_slope(
            runs,
            run_number * runs - runs * (runs - 1) // 2,
            figure_sum_5,
            run_number * figure_sum_5 - product_sum_5,
            run_number * run_number * runs - run_number * runs * (runs - 1) + runs * (runs - 1) * (2 * runs - 1) // 6
        )::float as speed_figure_slope_5,
        sample_spread(
            run_number,
            figure_sum,
            -- Read as a double, a wide decimal of so many digits takes 0.5 us, a narrow one 0.02.
            coalesce(try_cast(figure_squares as decimal(18, 12))::double, figure_squares::double)
        )::float as speed_figure_spread,
        distance_count::usmallint as speed_figures_at_distance_count,
        distance_mean::float as avg_speed_figure_at_distance,
        distance_best::float as best_speed_figure_at_distance,
    from latest_five
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

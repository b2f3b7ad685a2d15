{{!-- one row per starter, then one per horse for its next start: the horse's section times before the day of the race --}}
with starts as (
    select
        runner_id,
        horse_key,
        race_distance,
        -- Decimals: their sums are exact, so a mean does not depend on the order of adding up.
        cumulative_to_800m_to_go::decimal(12, 3) as cumulative_800m,
{{#each (list 800 600 400 200) as |to_go|}}
        sectional_{{to_go}}m::decimal(12, 3) as last_{{to_go}}m,
        (race_mean_sectional_{{to_go}}m - sectional_{{to_go}}m)::decimal(18, 6)
            as last_{{to_go}}m_vs_race,
{{/each}}
        finishing_speed_percentage::decimal(18, 6) as finishing_speed,
        (100 * (1 - raw_time_seconds / race_mean_raw_time_seconds))::decimal(18, 6)
            as speed_vs_field,
    from {{ref "sectionals"}}
),

measured as (
    select
        *,
        (400 / nullif(last_800m - last_400m, 0) - (race_distance - 800) / nullif(cumulative_800m, 0))::decimal(18, 6)
            as early_vs_mid,
    from starts
),

summed as (
    select
        runner_id,
        count(*) filter (where last_400m is not null) over so_far as timed_runs,
        avg(last_800m) over so_far as mean_last_800m,
        avg(cumulative_800m) over so_far as mean_cumulative_800m,
        sum(last_400m) over so_far as sum_last_400m,
        sum(last_400m * last_400m) over so_far as squares_last_400m,
        avg(early_vs_mid) over so_far as mean_early_vs_mid,
        avg(speed_vs_field) over so_far as mean_speed_vs_field,
        last_value(speed_vs_field ignore nulls) over so_far as last_speed_vs_field,
{{#each (list 800 600 400 200) as |to_go|}}
        avg(last_{{to_go}}m_vs_race) over so_far as mean_last_{{to_go}}m_vs_race,
{{/each}}
        max(last_400m_vs_race) over so_far as best_last_400m_vs_race,
        last_value(last_400m_vs_race ignore nulls) over so_far as latest_last_400m_vs_race,
        avg(finishing_speed) over so_far as mean_finishing_speed,
        last_value(finishing_speed ignore nulls) over so_far as last_finishing_speed,
    from measured
    -- lint: accept current-row: read through timed_start, which points to an earlier day
    window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)
),

-- After each start that was timed; a later day reads it at the horse's latest one.
states as (
    select
        runner_id,
        timed_runs::usmallint as timed_runs,
        (sum_last_400m / timed_runs)::float as avg_sectional_400m,
        mean_last_800m::float as avg_sectional_800m,
        mean_cumulative_800m::float as avg_cumulative_800m,
        sample_spread(timed_runs, sum_last_400m, squares_last_400m)::float as sectional_time_consistency,
        mean_early_vs_mid::float as early_vs_mid_pace_change,
        mean_speed_vs_field::float as historical_speed_vs_field,
        last_speed_vs_field::float as last_speed_vs_field,
{{#each (list 800 600 400 200) as |to_go|}}
        mean_last_{{to_go}}m_vs_race::float as avg_last_{{to_go}}m_vs_race,
{{/each}}
        best_last_400m_vs_race::float as best_last_400m_vs_race,
        latest_last_400m_vs_race::float as latest_last_400m_vs_race,
        mean_finishing_speed::float as avg_finishing_speed_percentage,
        last_finishing_speed::float as last_finishing_speed_percentage,
    from summed
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    coalesce(states.timed_runs, 0)::usmallint as timed_runs,
    states.* exclude (runner_id, timed_runs),
from {{ref "previous_starts"}} as previous_starts
left join states on previous_starts.timed_start = states.runner_id
order by runner_id

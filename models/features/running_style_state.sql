{{!-- one row per start: where and how fast the horse runs, this start included; later days read it through previous_starts --}}
with starts as (
    select
        runners.runner_id,
        runners.horse_key,
        runners.race_date,
        runners.position::double as position,
        runners.position_800m::double as position_800m,
        runners.position_400m::double as position_400m,
        runners.total_runners::integer as total_runners,
        runners.race_distance,
        -- Places are doubles, whole numbers all: they add up exactly, and quicker than integers do in a window.
        -- Shares and times are decimals: their sums are exact, so a mean does not depend on the order of adding up.
        ((runners.position_800m::integer - 1) / nullif(runners.total_runners::integer - 1, 0))::decimal(18, 12)
            as settle_pct,
        runners.position_200m::double as position_200m,
        sectionals.cumulative_to_800m_to_go::decimal(12, 3) as cumulative_800m,
{{#each (list 800 600 400 200) as |to_go|}}
        sectionals.sectional_{{to_go}}m::decimal(12, 3) as last_{{to_go}}m,
        (sectionals.race_mean_sectional_{{to_go}}m - sectionals.sectional_{{to_go}}m)::decimal(18, 6)
            as last_{{to_go}}m_vs_race,
{{/each}}
        sectionals.finishing_speed_percentage::decimal(18, 6) as finishing_speed,
        (100 * (1 - sectionals.raw_time_seconds / sectionals.race_mean_raw_time_seconds))::decimal(18, 6)
            as speed_vs_field,
    from {{ref "runners"}} as runners
    left join {{ref "sectionals"}} as sectionals on runners.runner_id = sectionals.runner_id
    where
        runners.has_run
        and runners.horse_key is not null
),

-- Only runs with a known position count among the latest ten, so these rows are a partition of their own.
measured as (
    select
        *,
        (400 / nullif(last_800m - last_400m, 0) - (race_distance - 800) / nullif(cumulative_800m, 0))::decimal(18, 6)
            as early_vs_mid,
        position_400m - position as late_gain,
        position_800m - position as gain,
        ((position_800m - position) / nullif(total_runners - 1, 0))::decimal(18, 12) as gain_share,
        -- least() skips NULL: of one gain alone it would make both.
        case
            when position_800m is not null and position_400m is not null and position is not null
                then least(position_800m - position_400m, position_400m - position) / nullif(total_runners - 1, 0)
        end::decimal(18, 12) as sustained_gain_share,
        case when settle_pct is not null then avg(settle_pct) over latest_ten end as settle_pct_10,
        case when settle_pct is not null then count(*) over latest_ten end as settle_runs_10,
    from starts
    window latest_ten as (
        partition by horse_key, settle_pct is not null
        order by runner_id
        rows between 9 preceding and current row
    )
),

summed as (
    select
        runner_id,
        horse_key,
        race_date,
        last_value(settle_pct_10 ignore nulls) over career as settle_pct_10,
        last_value(settle_runs_10 ignore nulls) over career as settle_runs_10,
        last_value(settle_pct ignore nulls) over career as last_settle_pct,
        count(*) filter (where settle_pct is not null) over career as settle_runs,
        avg(settle_pct) over career as mean_settle_pct,
        avg(position_400m) over career as mean_position_400m,
        avg(position_200m) over career as mean_position_200m,
        count(*) filter (where position_800m is not null) over career as known_800m,
        sum(position_800m) over career as sum_800m,
        sum(position_800m * position_800m) over career as squares_800m,
        avg(gain) over career as mean_gain,
        avg(gain_share) over career as mean_gain_share,
        count(*) filter (where late_gain is not null) over career as known_late_gains,
        sum(late_gain) over career as sum_late_gain,
        sum(late_gain * late_gain) over career as squares_late_gain,
        avg(sustained_gain_share) over career as mean_sustained_gain,
        count(*) filter (where 4 * position_800m <= total_runners) over career as early_speed_runs,
        count(*) filter (where late_gain > 0) over career as strong_finishes,
        count(*) filter (where late_gain <= -2) over career as fades,
        count(*) filter (where late_gain >= 3) over career as closes,
        count(*) filter (where position_400m is not null) over career as known_400m,
        count(*) filter (where position_400m <= 2) over career as front_runs,
        count(*) filter (where last_400m is not null) over career as timed_runs,
        avg(last_800m) over career as mean_last_800m,
        avg(cumulative_800m) over career as mean_cumulative_800m,
        sum(last_400m) over career as sum_last_400m,
        sum(last_400m * last_400m) over career as squares_last_400m,
        avg(early_vs_mid) over career as mean_early_vs_mid,
        avg(speed_vs_field) over career as mean_speed_vs_field,
        last_value(speed_vs_field ignore nulls) over career as last_speed_vs_field,
{{#each (list 800 600 400 200) as |to_go|}}
        avg(last_{{to_go}}m_vs_race) over career as mean_last_{{to_go}}m_vs_race,
{{/each}}
        max(last_400m_vs_race) over career as best_last_400m_vs_race,
        last_value(last_400m_vs_race ignore nulls) over career as latest_last_400m_vs_race,
        avg(finishing_speed) over career as mean_finishing_speed,
        last_value(finishing_speed ignore nulls) over career as last_finishing_speed,
    from measured
    window career as (
        partition by horse_key
        order by runner_id
        rows between unbounded preceding and current row
    )
),

final as (
    select
        runner_id,
        horse_key,
        race_date,

        running_style(settle_pct_10, settle_runs_10) as running_style,
        settle_pct_10::float as expected_settle_pct,
        last_settle_pct::float as last_settle_pct,
        settle_runs::usmallint as known_settle_runs,
        (sum_800m / known_800m)::float as avg_early_position_800m,
        mean_position_400m::float as avg_pos_400m,
        mean_position_200m::float as avg_pos_200m,
        mean_gain::float as avg_late_surge,
        (sum_late_gain / known_late_gains)::float as avg_improvement_from_400m,
        (1 - mean_settle_pct)::float as early_speed_score,
        (0.5 + 0.5 * mean_gain_share)::float as closing_ability_score,
        mean_sustained_gain::float as sustained_run_score,
        rate(early_speed_runs, known_800m) as early_speed_pct,
        rate(strong_finishes, known_late_gains) as strong_finish_pct,
        rate(fades, known_late_gains) as fader_rate,
        rate(closes, known_late_gains) as closer_rate,
        rate(front_runs, known_400m) as front_rate,
        sample_spread(known_800m, sum_800m, squares_800m)::float as pos_volatility_800,
        sample_spread(known_late_gains, sum_late_gain, squares_late_gain)::float
            as finishing_kick_consistency,

        timed_runs::usmallint as timed_runs,
        (sum_last_400m / timed_runs)::float as avg_sectional_400m,
        mean_last_800m::float as avg_sectional_800m,
        mean_cumulative_800m::float as avg_cumulative_800m,
        sample_spread(timed_runs, sum_last_400m, squares_last_400m)::float
            as sectional_time_consistency,
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

select * from final

{{!-- one row per starter, then one per horse for its next start: where in the field the horse used to run, before the
      day of the race --}}
with starts as (
    select
        runner_id,
        horse_key,
        total_runners::integer as total_runners,
        -- Places are doubles, whole numbers all: they add up exactly, and quicker than integers do in a window.
        -- Shares are decimals: their sums are exact, so a mean does not depend on the order of adding up.
        position::double as position,
{{#each (list 800 400 200) as |to_go|}}
        position_{{to_go}}m::double as position_{{to_go}}m,
{{/each}}
        ((position_800m::integer - 1) / nullif(total_runners::integer - 1, 0))::decimal(18, 12)
            as settle_pct,
    from {{ref "runners"}}
    where coalesce(position_800m, position_400m, position_200m) is not null
),

-- Only runs with a known position count among the latest ten, so these rows are a partition of their own.
measured as (
    select
        *,
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
    -- lint: accept current-row: read through positioned_start, which points to an earlier day
    window latest_ten as (
        partition by horse_key, settle_pct is not null order by runner_id
        rows between 9 preceding and current row
    )
),

summed as (
    select
        runner_id,
        last_value(settle_pct_10 ignore nulls) over so_far as settle_pct_10,
        last_value(settle_runs_10 ignore nulls) over so_far as settle_runs_10,
        last_value(settle_pct ignore nulls) over so_far as last_settle_pct,
        count(*) filter (where settle_pct is not null) over so_far as settle_runs,
        avg(settle_pct) over so_far as mean_settle_pct,
        avg(position_400m) over so_far as mean_position_400m,
        avg(position_200m) over so_far as mean_position_200m,
        count(*) filter (where position_800m is not null) over so_far as known_800m,
        sum(position_800m) over so_far as sum_800m,
        sum(position_800m * position_800m) over so_far as squares_800m,
        avg(gain) over so_far as mean_gain,
        avg(gain_share) over so_far as mean_gain_share,
        count(*) filter (where late_gain is not null) over so_far as known_late_gains,
        sum(late_gain) over so_far as sum_late_gain,
        sum(late_gain * late_gain) over so_far as squares_late_gain,
        avg(sustained_gain_share) over so_far as mean_sustained_gain,
        count(*) filter (where 4 * position_800m <= total_runners) over so_far as early_speed_runs,
        count(*) filter (where late_gain > 0) over so_far as strong_finishes,
        count(*) filter (where late_gain <= -2) over so_far as fades,
        count(*) filter (where late_gain >= 3) over so_far as closes,
        count(*) filter (where position_400m is not null) over so_far as known_400m,
        count(*) filter (where position_400m <= 2) over so_far as front_runs,
    from measured
    -- lint: accept current-row: read through positioned_start, which points to an earlier day
    window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)
),

-- After each start with a known position; a later day reads it at the horse's latest one.
states as (
    select
        runner_id,
        running_style(settle_pct_10, settle_runs_10) as running_style,
        settle_runs::usmallint as known_settle_runs,
        settle_pct_10::float as expected_settle_pct,
        last_settle_pct::float as last_settle_pct,
        (sum_800m / known_800m)::float as avg_early_position_800m,
        mean_position_400m::float as avg_mid_position_400m,
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
        sample_spread(known_late_gains, sum_late_gain, squares_late_gain)::float as finishing_kick_consistency,
    from summed
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    coalesce(states.running_style, 'unknown') as running_style,
    coalesce(states.known_settle_runs, 0)::usmallint as known_settle_runs,
    states.* exclude (runner_id, running_style, known_settle_runs),
from {{ref "previous_starts"}} as previous_starts
left join states on previous_starts.positioned_start = states.runner_id
order by runner_id

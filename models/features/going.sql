{{!-- one row per starter: the horse's record on wet and on dry going before the day of the race --}}
-- The record after each start; a later day reads it at the horse's latest start.
with states as (
    select
        runner_id,
        count(*) filter (where is_wet_track) over so_far as wet_runs,
        count(*) filter (where is_wet_track and is_win) over so_far as wet_wins,
        count(*) filter (where is_wet_track and beat_pct is not null) over so_far as wet_beat_pcts,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        avg(case when is_wet_track then beat_pct end::decimal(9, 8)) over so_far as wet_beat_pct,
        count(*) filter (where not is_wet_track) over so_far as dry_runs,
        count(*) filter (where not is_wet_track and is_win) over so_far as dry_wins,
        count(*) filter (where not is_wet_track and beat_pct is not null) over so_far as dry_beat_pcts,
        avg(case when not is_wet_track then beat_pct end::decimal(9, 8)) over so_far as dry_beat_pct,
    from {{ref "runners"}}
    where has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)
),

scored as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.is_wet_track,
        coalesce(states.wet_runs, 0) as wet_runs,
        coalesce(states.dry_runs, 0) as dry_runs,
        rate(states.wet_wins, states.wet_runs) as wet_win_rate,
        rate(states.dry_wins, states.dry_runs) as dry_win_rate,
        -- The difference of two means, drawn towards nothing by the smaller of the two samples.
        (states.wet_beat_pct - states.dry_beat_pct)
        * least(states.wet_beat_pcts, states.dry_beat_pcts)
        / (least(states.wet_beat_pcts, states.dry_beat_pcts) + {{var "suitability_prior_starts"}})
            as wet_dry_preference_score,
    from {{ref "runners"}} as runners
    positional join {{ref "previous_starts"}} as previous_starts
    left join states on previous_starts.horse_start = states.runner_id
    where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
)

select
    runner_id,
    race_id,
    race_date,
    wet_runs::usmallint as horse_wet_track_runs,
    wet_win_rate as horse_wet_track_win_rate,
    dry_runs::usmallint as horse_dry_track_runs,
    dry_win_rate as horse_dry_track_win_rate,
    wet_dry_preference_score::float as wet_dry_preference_score,
    case
        when is_wet_track then wet_dry_preference_score
        -- Not -score: a minus zero is another value than zero to whoever hashes rows.
        when not is_wet_track then 0 - wet_dry_preference_score
    end::float as going_suited_score,
from scored
order by runner_id

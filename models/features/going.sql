{{!-- one row per starter: the horse's record on wet and on dry going before the day of the race --}}
with counted as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.is_wet_track,
        coalesce(state.wet_runs, 0)::usmallint as wet_runs,
        coalesce(state.dry_runs, 0)::usmallint as dry_runs,
        rate(state.wet_wins, state.wet_runs) as wet_win_rate,
        rate(state.dry_wins, state.dry_runs) as dry_win_rate,
        -- The difference of two means, drawn towards nothing by the smaller of the two samples.
        (state.wet_beat_pct - state.dry_beat_pct)
        * least(state.wet_beat_pcts, state.dry_beat_pcts)
        / (least(state.wet_beat_pcts, state.dry_beat_pcts) + {{var "suitability_prior_starts"}})
            as wet_dry_preference_score,
    from {{ref "runners"}} as runners
    positional join {{ref "previous_starts"}} as previous_starts
    left join {{ref "conditions_state"}} as state on previous_starts.horse_start = state.runner_id
    where is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
)

select
    runner_id,
    race_id,
    race_date,
    wet_runs as horse_wet_track_runs,
    wet_win_rate as horse_wet_track_win_rate,
    dry_runs as horse_dry_track_runs,
    dry_win_rate as horse_dry_track_win_rate,
    wet_dry_preference_score::float as wet_dry_preference_score,
    case
        when is_wet_track then wet_dry_preference_score
        -- Not -score: a minus zero is another value than zero to whoever hashes rows.
        when not is_wet_track then 0 - wet_dry_preference_score
    end::float as going_suited_score,
from counted
order by runner_id

{{!-- one row per starter: the horse's record on wet and on dry going before the day of the race --}}
with counted as (
    select
        runner_id,
        race_id,
        horse_slug,
        race_date,
        is_wet_track,
        count(*) filter (where has_run and is_wet_track) over before_today as wet_runs,
        count(*) filter (where is_win and is_wet_track) over before_today as wet_wins,
        count(beat_pct) filter (where is_wet_track) over before_today as wet_beat_pcts,
        avg(beat_pct::decimal(9, 8)) filter (where is_wet_track) over before_today as wet_beat_pct,
        count(*) filter (where has_run and not is_wet_track) over before_today as dry_runs,
        count(*) filter (where is_win and not is_wet_track) over before_today as dry_wins,
        count(beat_pct) filter (where not is_wet_track) over before_today as dry_beat_pcts,
        avg(beat_pct::decimal(9, 8)) filter (where not is_wet_track) over before_today as dry_beat_pct,
    from {{ref "runners"}}
    window before_today as (
        partition by horse_key order by race_date
        range between unbounded preceding and interval 1 day preceding
    )
),

preferred as (
    select
        *,
        -- The difference of two means, drawn towards nothing by the smaller of the two samples.
        (wet_beat_pct - dry_beat_pct) * least(wet_beat_pcts, dry_beat_pcts)
        / (least(wet_beat_pcts, dry_beat_pcts) + {{var "suitability_prior_starts"}}) as wet_dry_preference_score,
    from counted
)

select
    runner_id,
    race_id,
    horse_slug,
    race_date,

    wet_runs::usmallint as horse_wet_track_runs,
    rate(wet_wins, wet_runs) as horse_wet_track_win_rate,
    dry_runs::usmallint as horse_dry_track_runs,
    rate(dry_wins, dry_runs) as horse_dry_track_win_rate,
    wet_dry_preference_score::float as wet_dry_preference_score,
    case
        when is_wet_track then wet_dry_preference_score
        when not is_wet_track then -wet_dry_preference_score
    end::float as going_suited_score,
from preferred

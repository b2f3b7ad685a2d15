{{!-- one row per start: the horse's record by going, metro tracks, distances and weights, this start included; later
      days read it through previous_starts --}}
with starts as (
    select
        runner_id,
        race_id,
        horse_key,
        race_distance,
        is_win,
        is_place,
        is_wet_track,
        is_metro_track as is_metro,
        -- A decimal adds up to the same sum in any order, so that every rebuild gives the same last digit.
        case when is_wet_track then beat_pct end::decimal(9, 8) as wet_beat_pct,
        case when not is_wet_track then beat_pct end::decimal(9, 8) as dry_beat_pct,
        weight::decimal(9, 1) as weight,
    from {{ref "runners"}}
    where has_run
)

select
    runner_id,
    race_id,
    (count(*) filter (where is_wet_track) over so_far)::usmallint as wet_runs,
    (count(*) filter (where is_wet_track and is_win) over so_far)::usmallint as wet_wins,
    (count(*) filter (where wet_beat_pct is not null) over so_far)::usmallint as wet_beat_pcts,
    avg(wet_beat_pct) over so_far as wet_beat_pct,
    (count(*) filter (where not is_wet_track) over so_far)::usmallint as dry_runs,
    (count(*) filter (where not is_wet_track and is_win) over so_far)::usmallint as dry_wins,
    (count(*) filter (where dry_beat_pct is not null) over so_far)::usmallint as dry_beat_pcts,
    avg(dry_beat_pct) over so_far as dry_beat_pct,
    (count(*) filter (where is_metro) over so_far)::usmallint as metro_runs,
    (count(*) filter (where is_metro and is_win) over so_far)::usmallint as metro_wins,
    min(race_distance) filter (where is_place) over so_far as shortest_placed,
    max(race_distance) filter (where is_place) over so_far as longest_placed,
    avg(race_distance::double) over so_far as avg_distance,
    avg(weight) over so_far as weight_carried_avg,
from starts
window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)

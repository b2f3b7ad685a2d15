{{!-- one row per starter: the horse's record at tracks like this one before the day of the race --}}
with counted as (
    select
        runner_id,
        race_id,
        horse_slug,
        race_date,
        distance_range is not null as has_distance,
        track_category is not null as has_category,
        track_direction is not null as has_direction,
        track_type is not null as has_type,
{{#each (list "track" "track_distance" "category" "direction" "type") as |place|}}
        count(*) filter (where has_run) over at_{{place}} as {{place}}_runs,
        count(*) filter (where is_win) over at_{{place}} as {{place}}_wins,
        count(*) filter (where is_place) over at_{{place}} as {{place}}_places,
{{/each}}
        count(*) filter (where has_run and track_category = 'metro') over anywhere as metro_runs,
        count(*) filter (where is_win and track_category = 'metro') over anywhere as metro_wins,
    from {{ref "runners"}}
    window
        anywhere as (
            partition by horse_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_track as (
            partition by horse_key, track_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_track_distance as (
            partition by horse_key, track_key, distance_range order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_category as (
            partition by horse_key, track_category order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_direction as (
            partition by horse_key, track_direction order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_type as (
            partition by horse_key, track_type order by race_date
            range between unbounded preceding and interval 1 day preceding
        )
)

select
    runner_id,
    race_id,
    horse_slug,
    race_date,

    track_runs::usmallint as races_at_track,
    rate(track_wins, track_runs) as track_win_rate,
    rate(track_places, track_runs) as track_place_rate,
    track_wins > 0 as has_won_at_track,
    case when has_distance then track_distance_runs else 0 end::usmallint as races_at_track_distance,
    has_distance and track_distance_wins > 0 as has_won_at_track_distance,
    case when has_category then rate(category_wins, category_runs) end as track_category_win_rate,
    metro_wins::usmallint as metro_wins_count,
    rate(metro_wins, metro_runs) as metro_win_rate,
    case when has_direction then direction_runs else 0 end::usmallint as races_in_direction,
    case when has_direction then rate(direction_places, direction_runs) end as direction_place_rate,
    case when has_type then type_runs else 0 end::usmallint as races_on_surface,
    case when has_type then rate(type_wins, type_runs) end as surface_win_rate,
    case when has_type then rate(type_places, type_runs) end as surface_place_rate,
from counted

{{!-- one row per starter: the horse's record at tracks like this one before the day of the race --}}
with starts as (
    select
        runner_id,
        horse_key,
        track_key,
        distance_key,
        category_key,
        direction_key,
        -- A number is sorted by in less time than a text, and carried through the other sortings.
        entity_key(track_type) as type_key,
        race_date,
        has_run,
        is_win,
        is_place,
    from {{ref "runners"}}
),
{{#each
    (list
        (list "track" "track_key" "starts")
        (list "track_distance" "track_key, distance_key" "track_counts")
        (list "category" "category_key" "track_distance_counts")
        (list "direction" "direction_key" "category_counts")
        (list "type" "type_key" "direction_counts")
    ) as |place|
}}

{{place.[0]}}_counts as (
    select
        *,
        count(*) filter (where has_run) over before_today::usmallint as {{place.[0]}}_runs,
        count(*) filter (where is_win) over before_today::usmallint as {{place.[0]}}_wins,
        count(*) filter (where is_place) over before_today::usmallint as {{place.[0]}}_places,
    from {{place.[2]}}
    window before_today as (
        partition by horse_key, {{place.[1]}} order by race_date
        groups between unbounded preceding and 1 preceding
    )
),
{{/each}}

counted as (
    select
        *,
        distance_key is not null as has_distance,
        category_key is not null as has_category,
        direction_key is not null as has_direction,
        type_key is not null as has_type,
    from type_counts
),

-- Metro runs after each start; a later day reads them at the horse's latest start.
states as (
    select
        runner_id,
        count(*) filter (where is_metro_track) over so_far as metro_runs,
        count(*) filter (where is_metro_track and is_win) over so_far as metro_wins,
    from {{ref "runners"}}
    where has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window so_far as (partition by horse_key order by runner_id rows between unbounded preceding and current row)
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    counted.track_runs::usmallint as races_at_track,
    rate(counted.track_wins, counted.track_runs) as track_win_rate,
    rate(counted.track_places, counted.track_runs) as track_place_rate,
    counted.track_wins > 0 as has_won_at_track,
    case when counted.has_distance then counted.track_distance_runs else 0 end::usmallint as races_at_track_distance,
    counted.has_distance and counted.track_distance_wins > 0 as has_won_at_track_distance,
    case when counted.has_category then counted.category_runs else 0 end::usmallint as races_in_track_category,
    case when counted.has_category then rate(counted.category_wins, counted.category_runs) end
        as track_category_win_rate,
    coalesce(states.metro_runs, 0)::usmallint as metro_runs_count,
    coalesce(states.metro_wins, 0)::usmallint as metro_wins_count,
    rate(states.metro_wins, states.metro_runs) as metro_win_rate,
    case when counted.has_direction then counted.direction_runs else 0 end::usmallint as races_in_direction,
    case when counted.has_direction then rate(counted.direction_places, counted.direction_runs) end
        as direction_place_rate,
    case when counted.has_type then counted.type_runs else 0 end::usmallint as races_on_surface,
    case when counted.has_type then rate(counted.type_wins, counted.type_runs) end as surface_win_rate,
    case when counted.has_type then rate(counted.type_places, counted.type_runs) end as surface_place_rate,
from {{ref "previous_starts"}} as previous_starts
inner join counted on previous_starts.runner_id = counted.runner_id
left join states on previous_starts.horse_start = states.runner_id
order by runner_id

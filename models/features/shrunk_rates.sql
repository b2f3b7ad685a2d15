{{!-- one row per starter: rates of few starts, drawn towards what their owner does anywhere, before the day of the race --}}
with counted as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.location,
        -- Families give rates: times the count, rounded, they are whole successes again.
        track.track_win_rate,
        track.races_at_track,
        track.track_place_rate,
        track.track_category_win_rate,
        track.races_in_track_category,
        track.metro_win_rate,
        track.metro_runs_count,
        track.direction_place_rate,
        track.races_in_direction,
        track.surface_win_rate,
        track.races_on_surface,
        track.surface_place_rate,
        distance.distance_win_rate,
        distance.races_at_distance,
        distance.distance_place_rate,
        going.horse_wet_track_win_rate,
        going.horse_wet_track_runs,
        going.horse_dry_track_win_rate,
        going.horse_dry_track_runs,
        barrier.horse_barrier_group_win_rate,
        barrier.horse_barrier_group_starts,
        barrier.horse_barrier_group_place_rate,
        spells.first_up_win_rate,
        spells.first_up_starts,
        spells.second_up_win_rate,
        spells.second_up_starts,
        cross_region.other_region_win_rate,
        cross_region.other_region_starts,
        connections.trainer_horse_connection_win_rate,
        connections.trainer_horse_connection_races,
        jockey.jockey_win_rate_30d,
        jockey.jockey_rides_30d,
        jockey.jockey_win_rate_90d,
        jockey.jockey_rides_90d,
        jockey.jockey_win_rate_365d,
        jockey.jockey_rides_365d,
        jockey.jockey_win_rate_shrunk,
        trainer.trainer_win_rate_30d,
        trainer.trainer_runners_30d,
        trainer.trainer_win_rate_90d,
        trainer.trainer_runners_90d,
        trainer.trainer_win_rate_365d,
        trainer.trainer_runners_365d,
        trainer.trainer_win_rate_shrunk,
        connections.jockey_horse_connection_place_rate,
        connections.jockey_horse_connection_races,
        connections.jockey_trainer_connection_place_rate,
        connections.jockey_trainer_connection_races,
        career.win_percentage_shrunk / 100 as own_win_rate,
        career.place_percentage_shrunk / 100 as own_place_rate,
    from {{ref "runners"}} as runners
    positional join {{ref "career"}} as career
    positional join {{ref "track"}} as track
    positional join {{ref "distance"}} as distance
    positional join {{ref "going"}} as going
    positional join {{ref "barrier"}} as barrier
    positional join {{ref "spells"}} as spells
    positional join {{ref "cross_region"}} as cross_region
    positional join {{ref "connections"}} as connections
    positional join {{ref "jockey"}} as jockey
    positional join {{ref "trainer"}} as trainer
    where
        is_in_step(runners.runner_id, career.runner_id, 'career')
        and is_in_step(runners.runner_id, track.runner_id, 'track')
        and is_in_step(runners.runner_id, distance.runner_id, 'distance')
        and is_in_step(runners.runner_id, going.runner_id, 'going')
        and is_in_step(runners.runner_id, barrier.runner_id, 'barrier')
        and is_in_step(runners.runner_id, spells.runner_id, 'spells')
        and is_in_step(runners.runner_id, cross_region.runner_id, 'cross_region')
        and is_in_step(runners.runner_id, connections.runner_id, 'connections')
        and is_in_step(runners.runner_id, jockey.runner_id, 'jockey')
        and is_in_step(runners.runner_id, trainer.runner_id, 'trainer')
)

select
    counted.runner_id,
    counted.race_id,
    counted.race_date,

    -- A horse that is new here has no rate of its own in the country: then that of any starter.
{{#each
    (list
        (list "track_win_rate" "races_at_track")
        (list "track_category_win_rate" "races_in_track_category")
        (list "metro_win_rate" "metro_runs_count")
        (list "surface_win_rate" "races_on_surface")
        (list "distance_win_rate" "races_at_distance")
        (list "horse_wet_track_win_rate" "horse_wet_track_runs")
        (list "horse_dry_track_win_rate" "horse_dry_track_runs")
        (list "horse_barrier_group_win_rate" "horse_barrier_group_starts")
        (list "first_up_win_rate" "first_up_starts")
        (list "second_up_win_rate" "second_up_starts")
        (list "other_region_win_rate" "other_region_starts")
        (list "trainer_horse_connection_win_rate" "trainer_horse_connection_races")
    ) as |pair|
}}
    shrunk_rate(
        round(counted.{{pair.[0]}}::double * counted.{{pair.[1]}}),
        counted.{{pair.[1]}},
        coalesce(counted.own_win_rate, location_rates.location_win_rate),
        {{var "horse_conditions_prior_starts"}}
    ) as {{pair.[0]}}_shrunk,
{{/each}}
{{#each
    (list
        (list "track_place_rate" "races_at_track")
        (list "direction_place_rate" "races_in_direction")
        (list "surface_place_rate" "races_on_surface")
        (list "distance_place_rate" "races_at_distance")
        (list "horse_barrier_group_place_rate" "horse_barrier_group_starts")
    ) as |pair|
}}
    shrunk_rate(
        round(counted.{{pair.[0]}}::double * counted.{{pair.[1]}}),
        counted.{{pair.[1]}},
        coalesce(counted.own_place_rate, location_rates.location_place_rate),
        {{var "horse_conditions_prior_starts"}}
    ) as {{pair.[0]}}_shrunk,
{{/each}}
{{#each (list "30d" "90d" "365d") as |days|}}
    shrunk_rate(
        round(counted.jockey_win_rate_{{days}}::double * counted.jockey_rides_{{days}}),
        counted.jockey_rides_{{days}},
        counted.jockey_win_rate_shrunk,
        {{var "jockey_recent_prior_rides"}}
    ) as jockey_win_rate_{{days}}_shrunk,
{{/each}}
{{#each (list "30d" "90d" "365d") as |days|}}
    shrunk_rate(
        round(counted.trainer_win_rate_{{days}}::double * counted.trainer_runners_{{days}}),
        counted.trainer_runners_{{days}},
        counted.trainer_win_rate_shrunk,
        {{var "trainer_recent_prior_runners"}}
    ) as trainer_win_rate_{{days}}_shrunk,
{{/each}}
    shrunk_rate(
        round(counted.jockey_horse_connection_place_rate::double * counted.jockey_horse_connection_races),
        counted.jockey_horse_connection_races,
        location_rates.location_place_rate,
        {{var "jockey_horse_place_prior_races"}}
    ) as jockey_horse_connection_place_rate_shrunk,
    shrunk_rate(
        round(counted.jockey_trainer_connection_place_rate::double * counted.jockey_trainer_connection_races),
        counted.jockey_trainer_connection_races,
        location_rates.location_place_rate,
        {{var "jockey_trainer_place_prior_races"}}
    ) as jockey_trainer_connection_place_rate_shrunk,
from counted
inner join {{ref "location_rates"}} as location_rates
    on counted.location = location_rates.location
    and counted.race_date = location_rates.race_date
order by runner_id

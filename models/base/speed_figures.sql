{{!-- one row per run with a time and a par: how fast it was, against earlier races of its course, distance and going --}}
with timed as (
    select
        runner_id,
        race_id,
        race_date,
        horse_key,
        distance_key,
        raw_time_seconds::decimal(12, 3) as seconds,
        min(raw_time_seconds::decimal(12, 3)) over (partition by race_id) as winning_seconds,
        track_key,
        track_type,
        race_distance,
        going_group(track_type, track_condition_numeric) as going,
    from {{ref "runners"}}
    where
        has_run
        and raw_time_seconds is not null
        and race_distance is not null
),

races as (
    select distinct
        race_id,
        race_date,
        track_key,
        track_type,
        race_distance,
        going,
        winning_seconds,
    from timed
    where going is not null
),

days as (
    select
        track_key,
        track_type,
        race_distance,
        going,
        race_date,
        count(*) as day_races,
        sum(winning_seconds) as day_seconds,
    from races
    group by all
),

-- A day has one row here, so the frame of rows ends on the day before.
pars as (
    select
        track_key,
        track_type,
        race_distance,
        going,
        race_date,
        sum(day_races) over earlier as par_races,
        sum(day_seconds) over earlier as par_seconds,
    from days
    window earlier as (
        partition by track_key, track_type, race_distance, going
        order by race_date
        range between interval {{var "speed_par_days"}} day preceding and interval 1 day preceding
    )
),

final as (
    select
        timed.runner_id,
        timed.race_id,
        timed.race_date,
        timed.horse_key,
        timed.distance_key,
        (pars.par_seconds::double / pars.par_races)::float as par_seconds,
        (100 + 1000 * (1 - timed.seconds::double * pars.par_races / pars.par_seconds::double))::float as speed_figure,
    from timed
    inner join pars
        on timed.track_key = pars.track_key
        and timed.track_type is not distinct from pars.track_type
        and timed.race_distance = pars.race_distance
        and timed.going = pars.going
        and timed.race_date = pars.race_date
    where pars.par_races >= {{var "speed_par_min_races"}}
)

select * from final

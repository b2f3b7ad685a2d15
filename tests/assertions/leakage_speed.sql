{{!-- every par is the mean winning time of earlier days, and every figure of a horse one of an earlier day --}}
with races as (
    select
        race_id,
        any_value(race_date) as race_date,
        any_value(track_key) as track_key,
        any_value(track_type) as track_type,
        any_value(race_distance) as race_distance,
        going_group(any_value(track_type), any_value(track_condition_numeric)) as going,
        min(raw_time_seconds) as winning_seconds,
    from {{ref "runners"}}
    where has_run
    group by race_id
),

pars as (
    select
        race.race_id,
        avg(past.winning_seconds) as par_seconds,
    from races as race
    inner join races as past
        on race.track_key = past.track_key
        and race.track_type is not distinct from past.track_type
        and race.race_distance = past.race_distance
        and race.going = past.going
        and past.race_date < race.race_date
        and past.race_date >= race.race_date - {{var "speed_par_days"}}
    group by race.race_id
    having count(past.winning_seconds) >= {{var "speed_par_min_races"}}
),

history as (
    select
        starter.runner_id,
        count(figure.runner_id) as figures,
        avg(figure.speed_figure) as mean_figure,
        max(figure.speed_figure) as best_figure,
    from {{ref "runners"}} as starter
    left join {{ref "speed_figures"}} as figure
        on starter.horse_key = figure.horse_key
        and figure.race_date < starter.race_date
    group by starter.runner_id
)

select
    speed_figures.race_id,
    speed_figures.runner_id,
    speed_figures.par_seconds as found,
    pars.par_seconds as expected,
from {{ref "speed_figures"}} as speed_figures
left join pars on speed_figures.race_id = pars.race_id
where differs(speed_figures.par_seconds, pars.par_seconds)
union all
select
    speed.race_id,
    speed.runner_id,
    speed.avg_speed_figure as found,
    history.mean_figure as expected,
from {{ref "speed"}} as speed
inner join history on speed.runner_id = history.runner_id
where
    speed.speed_figures_count <> history.figures
    or differs(speed.avg_speed_figure, history.mean_figure)
    or differs(speed.best_speed_figure, history.best_figure)

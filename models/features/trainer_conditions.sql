{{!-- one row per starter: its trainer's record before the day of the race, under conditions like those of the race --}}
with track_days as (
    select
        trainer_key,
        track_key,
        race_date,
        count(*) filter (where has_run) as runners,
        count(*) filter (where is_win) as wins,
    from {{ref "runners"}}
    where trainer_key is not null
    group by
        trainer_key,
        track_key,
        race_date
),

distance_days as (
    select
        trainer_key,
        distance_range,
        race_date,
        count(*) filter (where has_run) as runners,
        count(*) filter (where is_win) as wins,
    from {{ref "runners"}}
    where trainer_key is not null and distance_range is not null
    group by
        trainer_key,
        distance_range,
        race_date
),

-- Already one row a day, both.
{{#each (list "track_key" "distance_range") as |condition|}}
before_{{condition}} as (
    select
        trainer_key,
        {{condition}},
        race_date,
        coalesce(sum(runners) over days_before, 0) as runners,
        coalesce(sum(wins) over days_before, 0) as wins,
    from {{#if @first}}track_days{{else}}distance_days{{/if}}
    window days_before as (
        partition by trainer_key, {{condition}} order by race_date rows between unbounded preceding and 1 preceding
    )
),

{{/each}}
counted as (
    select
        runners.runner_id,
        at_track.runners as track_runners,
        at_track.wins as track_wins,
        at_distance.runners as distance_runners,
        at_distance.wins as distance_wins,
        trainer_days.wet_track_runners,
        trainer_days.wet_track_wins,
        trainer_days.first_up_runners,
        trainer_days.first_up_wins,
    from {{ref "runners"}} as runners
    inner join {{ref "trainer_days"}} as trainer_days
        on runners.trainer_key = trainer_days.trainer_key
        and runners.race_date = trainer_days.race_date
    inner join before_track_key as at_track
        on runners.trainer_key = at_track.trainer_key
        and runners.track_key = at_track.track_key
        and runners.race_date = at_track.race_date
    left join before_distance_range as at_distance
        on runners.trainer_key = at_distance.trainer_key
        and runners.distance_range = at_distance.distance_range
        and runners.race_date = at_distance.race_date
)

select
    trainer.runner_id,
    trainer.race_id,
    trainer.horse_slug,
    trainer.race_date,
{{#each (list "track" "distance" "wet_track" "first_up") as |condition|}}

    coalesce(counted.{{condition}}_runners, 0)::uinteger as trainer_{{condition}}_runners,
    rate(counted.{{condition}}_wins, counted.{{condition}}_runners) as trainer_{{condition}}_win_rate,
    -- Towards what the trainer does anywhere.
    shrunk_rate(
        counted.{{condition}}_wins,
        counted.{{condition}}_runners,
        trainer.trainer_win_rate_shrunk,
        {{var "trainer_prior_runners"}}
    ) as trainer_{{condition}}_win_rate_shrunk,
{{/each}}
from {{ref "trainer"}} as trainer
left join counted on trainer.runner_id = counted.runner_id
order by runner_id

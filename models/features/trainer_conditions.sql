{{!-- one row per starter: its trainer's record before the day of the race, under conditions like those of the race --}}
with starts as (
    select
        runners.runner_id,
        runners.trainer_key,
        runners.race_date,
        runners.has_run,
        runners.is_win,
        runners.track_key,
        runners.distance_range,
        runners.is_wet_track,
        previous_starts.is_first_up,
    from {{ref "runners"}} as runners
    inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.runner_id
    where runners.trainer_key is not null
),

counted as (
    select
        runner_id,
        count(*) filter (where has_run) over at_track as track_runners,
        count(*) filter (where is_win) over at_track as track_wins,
        case when distance_range is not null then count(*) filter (where has_run) over at_distance end
            as distance_runners,
        case when distance_range is not null then count(*) filter (where is_win) over at_distance end
            as distance_wins,
        count(*) filter (where has_run and is_wet_track) over before_today as wet_track_runners,
        count(*) filter (where is_win and is_wet_track) over before_today as wet_track_wins,
        count(*) filter (where has_run and is_first_up) over before_today as first_up_runners,
        count(*) filter (where is_win and is_first_up) over before_today as first_up_wins,
    from starts
    window
        before_today as (
            partition by trainer_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_track as (
            partition by trainer_key, track_key order by race_date
            range between unbounded preceding and interval 1 day preceding
        ),
        at_distance as (
            partition by trainer_key, distance_range order by race_date
            range between unbounded preceding and interval 1 day preceding
        )
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

{{!-- one row per starter: what its part of the gate was worth at the track, to its style and to the horse, before
      the day of the race --}}
with gate_days as (
    select
        track_key,
        barrier_position,
        race_date,
        count(*) filter (where has_run) as starts,
        count(*) filter (where is_win) as wins,
        coalesce(sum((1 / total_runners)::decimal(18, 12)) filter (where has_run), 0) as expected_wins,
    from {{ref "runners"}}
    where barrier_position is not null
    group by
        track_key,
        barrier_position,
        race_date
),

-- Already one row a day.
gates as (
    select
        track_key,
        barrier_position,
        race_date,
        sum(starts) over days_before as starts,
        sum(wins) over days_before as wins,
        sum(expected_wins) over days_before as expected_wins,
    from gate_days
    window days_before as (
        partition by track_key, barrier_position order by race_date
        rows between unbounded preceding and 1 preceding
    )
),

-- The same for how starters were known to run on the morning of their race.
style_days as (
    select
        runners.location,
        runners.barrier_position,
        running_style.running_style,
        runners.race_date,
        count(*) filter (where runners.has_run) as starts,
        count(*) filter (where runners.is_win) as wins,
        coalesce(sum((1 / runners.total_runners)::decimal(18, 12)) filter (where runners.has_run), 0) as expected_wins,
    from {{ref "runners"}} as runners
    positional join {{ref "running_style"}} as running_style
    where
        is_in_step(runners.runner_id, running_style.runner_id, 'running_style')
        and runners.barrier_position is not null
        and running_style.running_style <> 'unknown'
    group by
        runners.location,
        runners.barrier_position,
        running_style.running_style,
        runners.race_date
),

styles as (
    select
        location,
        barrier_position,
        running_style,
        race_date,
        sum(starts) over days_before as starts,
        sum(wins) over days_before as wins,
        sum(expected_wins) over days_before as expected_wins,
    from style_days
    window days_before as (
        partition by location, barrier_position, running_style order by race_date
        rows between unbounded preceding and 1 preceding
    )
),

horses as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.location,
        runners.track_key,
        runners.barrier,
        runners.barrier_position,
        running_style.running_style,
        count(*) filter (where runners.has_run) over same_group as group_starts,
        count(*) filter (where runners.is_win) over same_group as group_wins,
        count(*) filter (where runners.is_place) over same_group as group_places,
    from {{ref "runners"}} as runners
    positional join {{ref "running_style"}} as running_style
    where is_in_step(runners.runner_id, running_style.runner_id, 'running_style')
    window same_group as (
        partition by runners.horse_key, runners.barrier_position order by runners.race_date
        groups between unbounded preceding and 1 preceding
    )
)

select
    horses.runner_id,
    horses.race_id,
    horses.race_date,

    -- Three metres of rail shift the field by about one gate. greatest() skips NULL: alone it would answer 1.
    case
        when horses.barrier is not null and race_facts.rail_out_metres is not null
            then greatest(horses.barrier - race_facts.rail_out_metres / 3, 1)
    end::float as effective_barrier,
    -- Wins beyond an even share of each field, per start, drawn towards nothing.
    case
        when gates.starts > 0
            then (gates.wins - gates.expected_wins::double) / (gates.starts + {{var "barrier_prior_starts"}})
    end::float as barrier_advantage_at_track,
    case
        when styles.starts > 0
            then (styles.wins - styles.expected_wins::double) / (styles.starts + {{var "barrier_prior_starts"}})
    end::float as barrier_vs_run_style,
    case when horses.barrier_position is not null then horses.group_starts else 0 end::usmallint
        as horse_barrier_group_starts,
    case when horses.barrier_position is not null then rate(horses.group_wins, horses.group_starts) end
        as horse_barrier_group_win_rate,
    case when horses.barrier_position is not null then rate(horses.group_places, horses.group_starts) end
        as horse_barrier_group_place_rate,
from horses
inner join {{ref "race_facts"}} as race_facts on horses.race_id = race_facts.race_id
left join gates
    on horses.track_key = gates.track_key
    and horses.barrier_position = gates.barrier_position
    and horses.race_date = gates.race_date
left join styles
    on horses.location = styles.location
    and horses.barrier_position = styles.barrier_position
    and horses.running_style = styles.running_style
    and horses.race_date = styles.race_date
order by runner_id

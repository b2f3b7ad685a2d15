{{!-- one row per starter: where the horse, by its slug alone, raced before the day of the race --}}
with starts as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.location,
        runners.horse_slug_key,
        runners.has_run,
        career.total_races as region_starts,
        career.wins as region_wins,
        count(*) filter (where runners.has_run) over anywhere as all_starts,
        count(*) filter (where runners.is_win) over anywhere as all_wins,
    from {{ref "runners"}} as runners
    positional join {{ref "career"}} as career
    where is_in_step(runners.runner_id, career.runner_id, 'career')
    window anywhere as (
        partition by runners.horse_slug_key order by runners.race_date
        groups between unbounded preceding and 1 preceding
    )
),

first_starts as (
    select
        horse_slug_key,
        location,
        min(race_date) as first_race_date,
    from starts
    where has_run
    group by
        horse_slug_key,
        location
),

-- Few slugs have started in more than one location; only for those are locations counted one by one.
travels as (
    select
        starts.runner_id,
        count(*) as regions,
    from starts
    inner join first_starts
        on starts.horse_slug_key = first_starts.horse_slug_key
        and starts.race_date > first_starts.first_race_date
    where starts.all_starts > starts.region_starts
    group by starts.runner_id
)

select
    starts.runner_id,
    starts.race_id,
    starts.race_date,

    starts.all_starts > starts.region_starts as is_cross_region_horse,
    coalesce(travels.regions, (starts.all_starts > 0)::integer)::utinyint as regions_before,
    starts.region_starts = 0 as is_first_start_in_region,
    starts.region_starts,
    starts.region_wins,
    (starts.all_starts - starts.region_starts)::usmallint as other_region_starts,
    rate(starts.all_wins - starts.region_wins, starts.all_starts - starts.region_starts) as other_region_win_rate,
from starts
left join travels on starts.runner_id = travels.runner_id
order by runner_id

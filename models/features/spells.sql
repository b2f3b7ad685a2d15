{{!-- one row per starter: whether it comes back from a spell, and what the horse has made of that before --}}
-- The record after each start; a later day reads it at the horse's latest start.
with states as (
    select
        runners.runner_id,
        count(*) filter (where previous_starts.is_first_up) over so_far as first_up_starts,
        count(*) filter (where previous_starts.is_first_up and runners.is_win) over so_far as first_up_wins,
        count(*) filter (where previous_starts.is_second_up) over so_far as second_up_starts,
        count(*) filter (where previous_starts.is_second_up and runners.is_win) over so_far as second_up_wins,
    from {{ref "runners"}} as runners
    positional join {{ref "previous_starts"}} as previous_starts
    where
        is_in_step(runners.runner_id, previous_starts.runner_id, 'previous_starts')
        and runners.has_run
    -- lint: accept current-row: read through previous_starts, which points to an earlier day
    window so_far as (
        partition by runners.horse_key order by runners.runner_id
        rows between unbounded preceding and current row
    )
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,
    previous_starts.is_first_up,
    previous_starts.is_second_up,
    coalesce(states.first_up_starts, 0)::usmallint as first_up_starts,
    rate(states.first_up_wins, states.first_up_starts) as first_up_win_rate,
    coalesce(states.second_up_starts, 0)::usmallint as second_up_starts,
    rate(states.second_up_wins, states.second_up_starts) as second_up_win_rate,
from {{ref "previous_starts"}} as previous_starts
left join states on previous_starts.horse_start = states.runner_id
where previous_starts.race_id is not null
order by runner_id

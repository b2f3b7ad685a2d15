{{!-- no outcome stands at a starter of a race that has not been run --}}
select
    race_id,
    horse_slug,
from {{ref "runners"}}
where
    not has_run
    and (
        position is not null
        or finish_status is not null
        or margin is not null
        or is_win is not null
        or is_place is not null
        or is_finisher is not null
        or beat_pct is not null
        or finishers is not null
        or runner_prize_money is not null
        or position_800m is not null
        or position_400m is not null
        or raw_time_seconds is not null
    )

{{!-- one row per ride: the jockey's record up to and including it; later days read it through previous_starts --}}
with rides as (
    select
        runners.runner_id,
        runners.race_id,
        runners.horse_slug,
        runners.race_date,
        runners.jockey_key,
        runners.is_win,
        runners.is_place,
        runners.position,
        runners.beat_pct,
        expected_wins.expected_win,
        count(*) over so_far as total_rides,
        count(runners.position) over so_far as finishes,
    from {{ref "runners"}} as runners
    inner join {{ref "expected_wins"}} as expected_wins on runners.runner_id = expected_wins.runner_id
    where runners.has_run and runners.jockey_key is not null
    window so_far as (
        partition by runners.jockey_key order by runners.runner_id rows between unbounded preceding and current row
    )
)

select
    runner_id,
    race_id,
    horse_slug,
    jockey_key,
    race_date,
    total_rides::uinteger as total_rides,
    (count(*) filter (where is_win) over so_far)::uinteger as wins,
    (count(*) filter (where is_place) over so_far)::uinteger as places,
    (avg(is_win::utinyint) over last_20)::float as last_20_win_rate,
    (avg(is_win::utinyint) over last_50)::float as last_50_win_rate,
    (avg(is_win::utinyint) over last_100)::float as last_100_win_rate,
    (avg(beat_pct) over last_50)::float as last_50_avg_beat_pct,
    -- Counted in finishes: rides without one share the number of the finish before and add nothing to a mean.
    (avg(position) over last_20_finishes)::float as avg_position_20,
    (avg(position) over last_50_finishes)::float as avg_position_50,
    (count(*) filter (where is_win and expected_win is not null) over so_far)::uinteger as priced_wins,
    sum(expected_win::double) over so_far as expected_wins,
from rides
window
    so_far as (partition by jockey_key order by total_rides rows between unbounded preceding and current row),
    last_20 as (partition by jockey_key order by total_rides rows between 19 preceding and current row),
    last_50 as (partition by jockey_key order by total_rides rows between 49 preceding and current row),
    last_100 as (partition by jockey_key order by total_rides rows between 99 preceding and current row),
    last_20_finishes as (partition by jockey_key order by finishes range between 19 preceding and current row),
    last_50_finishes as (partition by jockey_key order by finishes range between 49 preceding and current row)

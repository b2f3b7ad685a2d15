{{!-- one row per jockey and day with a ride declared, and the next race day: the record before that day --}}
with rides as (
    select
        runners.jockey_key,
        runners.race_date,
        runners.runner_id,
        runners.has_run,
        runners.is_win,
        runners.is_place,
        runners.is_finisher,
        runners.is_wet_track,
        previous_starts.is_first_up,
        expected_wins.expected_win,
    from {{ref "runners"}} as runners
    inner join {{ref "previous_starts"}} as previous_starts on runners.runner_id = previous_starts.runner_id
    left join {{ref "expected_wins"}} as expected_wins on runners.runner_id = expected_wins.runner_id
    where runners.jockey_key is not null
    union all by name
    select distinct
        runners.jockey_key,
        next_race_day.race_date,
        false as has_run,
    from {{ref "runners"}} as runners
    cross join {{ref "next_race_day"}} as next_race_day
    where runners.has_run and runners.jockey_key is not null
),

days as (
    select
        jockey_key,
        race_date,
        count(*) filter (where has_run) as rides,
        count(*) filter (where is_win) as wins,
        count(*) filter (where is_place) as places,
        count(*) filter (where has_run and is_wet_track) as wet_track_rides,
        count(*) filter (where is_win and is_wet_track) as wet_track_wins,
        count(*) filter (where has_run and is_first_up) as first_up_rides,
        count(*) filter (where is_win and is_first_up) as first_up_wins,
        count(*) filter (where is_win and expected_win is not null) as priced_wins,
        sum(expected_win) as expected_wins,
        max(runner_id) filter (where has_run) as latest_start,
        max(runner_id) filter (where is_finisher) as latest_finish,
        max(race_date) filter (where has_run) as latest_date,
    from rides
    group by
        jockey_key,
        race_date
),

before as (
    select
        jockey_key,
        race_date,
        coalesce(sum(rides) over days_before, 0) as total_rides,
{{#each (list "wins" "places" "wet_track_rides" "wet_track_wins" "first_up_rides" "first_up_wins" "priced_wins") as |count|}}
        coalesce(sum({{count}}) over days_before, 0) as {{count}},
{{/each}}
        sum(expected_wins) over days_before as expected_wins,
{{#each (list 30 90 365) as |days|}}
        coalesce(sum(rides) over last_{{days}}_days, 0) as rides_{{days}}d,
        coalesce(sum(wins) over last_{{days}}_days, 0) as wins_{{days}}d,
{{/each}}
        max(latest_start) over days_before as latest_start,
        max(latest_finish) over days_before as latest_finish,
        max(latest_date) over days_before as latest_date,
    from days
    window
        -- Already one row a day.
        days_before as (
            partition by jockey_key order by race_date rows between unbounded preceding and 1 preceding
        ),
{{#each (list 30 90 365) as |days|}}
        last_{{days}}_days as (
            partition by jockey_key order by race_date
            range between interval {{days}} day preceding and interval 1 day preceding
        ){{#unless @last}},{{/unless}}
{{/each}}
)

select
    before.jockey_key,
    before.race_date,
    before.total_rides::uinteger as total_rides,
{{#each (list "wins" "places" "wet_track_rides" "wet_track_wins" "first_up_rides" "first_up_wins" "priced_wins") as |count|}}
    before.{{count}}::uinteger as {{count}},
{{/each}}
    before.expected_wins::double as expected_wins,
{{#each (list 30 90 365) as |days|}}
    before.rides_{{days}}d::uinteger as rides_{{days}}d,
    before.wins_{{days}}d::uinteger as wins_{{days}}d,
{{/each}}
    before.latest_date,
{{#each (list 20 50 100) as |latest|}}
    last_start.last_{{latest}}_win_rate,
{{/each}}
    last_start.last_50_avg_beat_pct,
    last_finish.avg_position_20,
    last_finish.avg_position_50,
from before
left join {{ref "jockey_latest"}} as last_start on before.latest_start = last_start.runner_id
left join {{ref "jockey_latest"}} as last_finish on before.latest_finish = last_finish.runner_id

{{!-- one row per start: the trainer's latest runners, this one included; later days read it through trainer_days --}}
select
    runner_id,
    race_id,
    horse_slug,
    (avg(is_win::utinyint) over last_20)::float as last_20_win_rate,
    (avg(is_win::utinyint) over last_50)::float as last_50_win_rate,
    (avg(is_win::utinyint) over last_100)::float as last_100_win_rate,
    (avg(beat_pct::decimal(9, 8)) over last_50)::float as last_50_avg_beat_pct,
    -- Finishes stand in a partition of their own, so that rows are finishes; read at a finish only.
    (avg(position) over last_50_finishes)::float as avg_position_50,
    (avg(position) over last_100_finishes)::float as avg_position_100,
from {{ref "runners"}}
where has_run and trainer_key is not null
window
{{#each (list 20 50 100) as |latest|}}
    last_{{latest}} as (
        partition by trainer_key order by runner_id
        rows between {{latest}} - 1 preceding and current row
    ),
{{/each}}
{{#each (list 50 100) as |latest|}}
    last_{{latest}}_finishes as (
        partition by trainer_key, is_finisher order by runner_id
        rows between {{latest}} - 1 preceding and current row
    ){{#unless @last}},{{/unless}}
{{/each}}

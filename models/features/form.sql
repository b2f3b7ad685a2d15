{{!-- one row per starter, then one per horse for its next start: the horse's latest starts before the day of the race --}}
with starts as (
    select
        runner_id,
        horse_key,
        is_win,
        is_place,
        position,
        margin,
        -- Decimals add up to the same sum in any order, so that every rebuild gives the same last digit.
        margin::decimal(9, 3) as exact_margin,
        beat_pct::decimal(9, 8) as beat_pct,
        (row_number() over (partition by horse_key order by runner_id))::integer as start_number,
    from {{ref "runners"}}
    where has_run
),

-- lint: accept current-row: read through previous_starts, which points to an earlier day
-- lint: accept frame-not-by-day: lag counts back from that day, to starts before it
latest as (
    select
        *,
        count(*) over last_5 as starts_of_5,
        avg(position::double) over last_5 as last_5_avg_position,
        count(*) filter (where is_win) over last_5 as last_5_wins,
        count(*) filter (where is_place) over last_5 as last_5_places,
        count(*) over last_10 as starts_of_10,
        count(*) filter (where is_win) over last_10 as last_10_wins,
        avg(beat_pct) over last_5 as last_5_avg_beat_pct,
        avg(exact_margin) over last_5 as last_5_avg_margin,
        min(position) over last_5 as last_5_best_position,
        count(*) filter (where beat_pct is not null) over last_5 as known_beat_pcts,
        sum(beat_pct) over last_5 as sum_beat_pct,
        sum(case when beat_pct is not null then start_number end::double) over last_5 as sum_number,
        sum(beat_pct * start_number) over last_5 as sum_number_beat_pct,
        sum(case when beat_pct is not null then start_number * start_number end::double) over last_5 as squares_number,
{{#each (list 0 1 2 3 4 5 6 7 8 9) as |back|}}
        lag(beat_pct, {{back}}) over in_order as beat_pct_{{back}},
{{/each}}
        sum(case when is_place then start_number else 0 end::double) over last_5 as last_5_place_numbers,
    from starts
    window
        in_order as (partition by horse_key order by start_number),
        last_5 as (partition by horse_key order by start_number rows between 4 preceding and current row),
        last_10 as (partition by horse_key order by start_number rows between 9 preceding and current row)
),

-- After each start; a later day reads it at the horse's latest one.
states as (
    select
        runner_id,
        position as last_position,
        margin as last_margin,
        beat_pct::float as last_beat_pct,
        last_5_avg_position::float as last_5_avg_position,
        last_5_best_position::usmallint as last_5_best_position,
        rate(last_5_wins, starts_of_5) as last_5_win_rate,
        rate(last_5_places, starts_of_5) as last_5_place_rate,
        rate(last_10_wins, starts_of_10) as last_10_win_rate,
        last_5_avg_beat_pct::float as last_5_avg_beat_pct,
        last_5_avg_margin::float as last_5_avg_margin,
        case
            when known_beat_pcts > 2
                then line_slope(known_beat_pcts, sum_number, sum_beat_pct, sum_number_beat_pct, squares_number)
        end::float as last_5_beat_pct_slope,
        (
            (
{{#each (list 0 1 2 3 4 5 6 7 8 9) as |back|}}
                {{#unless @first}}+ {{/unless}}coalesce(beat_pct_{{back}}::double * pow({{var "form_decay"}}, {{back}}), 0)
{{/each}}
            )
            / nullif(
{{#each (list 0 1 2 3 4 5 6 7 8 9) as |back|}}
                {{#unless @first}}+ {{/unless}}(beat_pct_{{back}} is not null)::integer * pow({{var "form_decay"}}, {{back}})
{{/each}},
                0
            )
        )::float as weighted_beat_pct,
        -- 5 for the latest start, 4 for the one before: 5, 9, 12, 14 and 15 in sum. A start weighs 5 less its distance in
        -- numbers from the latest one, so that one sum of numbers does for five looks back.
        (
            (last_5_place_numbers - (start_number - 5) * last_5_places)
            / (starts_of_5 * (11 - starts_of_5) / 2)
        )::float as form_momentum,
    from latest
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    states.last_position,
    states.last_margin,
    states.last_beat_pct,
    states.last_5_avg_position,
    states.last_5_best_position,
    states.last_5_win_rate,
    states.last_5_place_rate,
    states.last_10_win_rate,
    states.last_5_avg_beat_pct,
    states.last_5_avg_margin,
    states.last_5_beat_pct_slope,
    states.weighted_beat_pct,
    states.form_momentum,
    coalesce(states.last_5_win_rate > 0, false) as has_winning_form,
    pow(0.5, previous_starts.days_since_last_race / {{var "form_half_life_days"}})::float as form_recency_score,
from {{ref "previous_starts"}} as previous_starts
left join states on previous_starts.horse_start = states.runner_id
order by runner_id

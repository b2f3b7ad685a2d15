{{!-- one row per starter, then one per horse for its next start: the horse's latest starts before the day of the race --}}
with starts as (
    select
        runner_id,
        horse_key,
        is_win,
        is_place,
        position::integer as position,
        margin,
        -- Decimals add up to the same sum in any order, so that every rebuild gives the same last digit.
        margin::decimal(9, 3) as exact_margin,
        beat_pct::decimal(9, 8) as beat_pct,
    from {{ref "runners"}}
    where has_run
),

-- A look back costs a sixth of a sum over a frame, and several means share the looks of one column.
-- lint: accept current-row: read through previous_starts, which points to an earlier day
-- lint: accept frame-not-by-day: lag counts back from that day, to starts before it
latest as (
    select
        runner_id,
        margin,
        (row_number() over in_order)::integer as start_number,
        count(*) filter (where is_win) over last_5 as last_5_wins,
        count(*) filter (where is_win) over last_10 as last_10_wins,
{{#each (list 0 1 2 3 4) as |back|}}
        lag(position, {{back}}) over in_order as position_{{back}},
        lag(is_place, {{back}}, false) over in_order::integer as is_place_{{back}},
        lag(exact_margin, {{back}}) over in_order as margin_{{back}},
{{/each}}
{{#each (list 0 1 2 3 4 5 6 7 8 9) as |back|}}
        lag(beat_pct, {{back}}) over in_order as beat_pct_{{back}},
{{/each}}
    from starts
    window
        in_order as (partition by horse_key order by runner_id),
        last_5 as (partition by horse_key order by runner_id rows between 4 preceding and current row),
        last_10 as (partition by horse_key order by runner_id rows between 9 preceding and current row)
),

summed as (
    select
        *,
        least(start_number, 5) as starts_of_5,
        least(start_number, 10) as starts_of_10,
        0{{#each (list 0 1 2 3 4) as |back|}} + is_place_{{back}}{{/each}} as last_5_places,
        -- 5 for the latest start, 4 for the one before: 5, 9, 12, 14 and 15 in sum.
        0{{#each (list 0 1 2 3 4) as |back|}} + (5 - {{back}}) * is_place_{{back}}{{/each}} as weighted_places,
{{#each (list "position" "margin" "beat_pct") as |value|}}
        0{{#each (list 0 1 2 3 4) as |back|}} + ({{value}}_{{back}} is not null)::integer{{/each}}
            as known_{{value}}s,
{{/each}}
        coalesce(position_0, 0){{#each (list 1 2 3 4) as |back|}} + coalesce(position_{{back}}, 0){{/each}}
            as sum_position,
{{#each (list "margin" "beat_pct") as |value|}}
        coalesce({{value}}_0, 0.0){{#each (list 1 2 3 4) as |back|}} + coalesce({{value}}_{{back}}, 0.0){{/each}}
            as sum_{{value}},
{{/each}}
        0{{#each (list 1 2 3 4) as |back|}} + {{back}} * (beat_pct_{{back}} is not null)::integer{{/each}}
            as sum_back,
        0{{#each (list 1 2 3 4) as |back|}} + {{back}} * {{back}} * (beat_pct_{{back}} is not null)::integer{{/each}}
            as squares_back,
        coalesce(beat_pct_1, 0.0){{#each (list 2 3 4) as |back|}} + {{back}} * coalesce(beat_pct_{{back}}, 0.0){{/each}}
            as sum_back_beat_pct,
    from latest
),

-- After each start; a later day reads it at the horse's latest one.
states as (
    select
        runner_id,
        position_0::usmallint as last_position,
        margin as last_margin,
        beat_pct_0::float as last_beat_pct,
        (sum_position::double / nullif(known_positions, 0))::float as last_5_avg_position,
        least(position_0, position_1, position_2, position_3, position_4)::usmallint as last_5_best_position,
        rate(last_5_wins, starts_of_5) as last_5_win_rate,
        rate(last_5_places, starts_of_5) as last_5_place_rate,
        rate(last_10_wins, starts_of_10) as last_10_win_rate,
        (sum_beat_pct::double / nullif(known_beat_pcts, 0))::float as last_5_avg_beat_pct,
        (sum_margin::double / nullif(known_margins, 0))::float as last_5_avg_margin,
        -- Over the horse's numbers of starts, each the latest one's less how many starts ago it was.
        case
            when known_beat_pcts > 2
                then line_slope(
                    known_beat_pcts,
                    start_number * known_beat_pcts - sum_back,
                    sum_beat_pct,
                    start_number * sum_beat_pct - sum_back_beat_pct,
                    start_number * start_number * known_beat_pcts - 2 * start_number * sum_back + squares_back
                )
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
        (weighted_places / (starts_of_5 * (11 - starts_of_5) / 2))::float as form_momentum,
    from summed
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

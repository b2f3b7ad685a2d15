{{!-- one row per timed starter: ranks and times when 800, 600, 400 and 200 m are left, and at the finish --}}
with timed as (
    select
        stg_sectional_times.race_id,
        stg_sectional_times.horse_number,
        stg_sectional_times.horse_name,
{{#each (list 800 600 400 200) as |to_go|}}
        [
{{#each (list 200 400 600 800 1000 1200 1400 1600 1800 2000 2200 2400 2600 2800 3000) as |metres|}}
            position_{{metres}}m{{#unless @last}},{{/unless}}
{{/each}}
        ][checkpoint(race_facts.race_distance, {{to_go}})] as position_{{to_go}}_to_go,
        epoch([
{{#each (list 200 400 600 800 1000 1200 1400 1600 1800 2000 2200 2400 2600 2800 3000) as |metres|}}
            cumulative_{{metres}}m{{#unless @last}},{{/unless}}
{{/each}}
        ][checkpoint(race_facts.race_distance, {{to_go}})]) as cumulative_{{to_go}}_to_go,
{{/each}}
        epoch(stg_sectional_times.finish_time) as finish_seconds,
    from {{ref "stg_sectional_times"}} as stg_sectional_times
    inner join {{ref "race_facts"}} as race_facts on stg_sectional_times.race_id = race_facts.race_id
),

-- No race takes half an hour: what is said to have taken longer, or no time at all, was not measured.
measured as (
    select
        * replace (
{{#each (list 800 600 400 200) as |to_go|}}
            case when cumulative_{{to_go}}_to_go > 0 and cumulative_{{to_go}}_to_go < 1800 then cumulative_{{to_go}}_to_go end
                as cumulative_{{to_go}}_to_go,
{{/each}}
            case when finish_seconds > 0 and finish_seconds < 1800 then finish_seconds end as finish_seconds
        ),
    from timed
),

starters as (
    select
        race_id,
        card_order,
        horse_number,
        horse_name,
        horse_number is null or regexp_matches(horse_number, '[A-Z]') as is_found_by_name,
    from {{ref "stg_race_results"}}
    where not is_scratched
),

races_with_names as (
    select race_id from starters where is_found_by_name
    union
    select race_id from measured where horse_number is null
),

-- Of few races: making all names plain took about 7 % of the time of the whole base.
named_starters as (
    select
        *,
        plain_name(horse_name) as plain_name,
    from starters
    semi join races_with_names on starters.race_id = races_with_names.race_id
),

named_times as (
    select
        *,
        plain_name(horse_name) as plain_name,
    from measured
    semi join races_with_names on measured.race_id = races_with_names.race_id
),

-- By saddlecloth number; by name where one side has no number, or one with a letter that the other feed cannot carry.
matched as (
    select
        starters.card_order,
        case
            when lower(starters.horse_name) = lower(measured.horse_name) then 1
            when plain_name(starters.horse_name) = plain_name(measured.horse_name) then 1
            else 2
        end as match_rank,
        measured.*,
    from starters
    inner join measured
        on starters.race_id = measured.race_id
        and starters.horse_number = measured.horse_number
    union all
    select
        named_starters.card_order,
        3 as match_rank,
        named_times.* exclude (plain_name),
    from named_starters
    inner join named_times
        on named_starters.race_id = named_times.race_id
        and named_starters.plain_name = named_times.plain_name
    where
        named_starters.is_found_by_name
        or named_times.horse_number is null
),

-- Timing rows have no id and no timestamp. Of several for one starter the better match counts, then the fullest,
-- then an order over all values, so that the choice does not depend on how the rows lie.
-- lint: accept tie-break: what is the same in every column of the order is the same row
final as (
    select * exclude (horse_number, horse_name, match_rank)
    from matched
    qualify row_number() over (
        partition by race_id, card_order
        order by
            match_rank,
{{#each (list 800 600 400 200) as |to_go|}}
            (position_{{to_go}}_to_go is null)::integer + (cumulative_{{to_go}}_to_go is null)::integer +
{{/each}}
            (finish_seconds is null)::integer,
            finish_seconds,
{{#each (list 800 600 400 200) as |to_go|}}
            position_{{to_go}}_to_go,
            cumulative_{{to_go}}_to_go,
{{/each}}
            horse_number,
            horse_name
    ) = 1
)

select * from final

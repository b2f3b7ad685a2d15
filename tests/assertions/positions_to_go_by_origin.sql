{{config severity="warn"}}
{{!-- where positions with 800 m and 400 m to go come from: told when under 80 % of a location's finishers have them --}}
select
    location,
    count(*) as finishers,
{{#each (list 800 400) as |to_go|}}
    round(100 * avg(coalesce(is_position_{{to_go}}m_timed, false)::integer), 1)
        as percent_{{to_go}}m_from_sectional_times,
    round(100 * avg((not is_position_{{to_go}}m_timed and position_{{to_go}}m is not null)::integer), 1)
        as percent_{{to_go}}m_from_race_results,
    round(100 * avg((position_{{to_go}}m is null)::integer), 1) as percent_{{to_go}}m_unknown,
{{/each}}
from {{ref "runners"}}
where
    is_finisher
    and race_distance > 800
group by location
having
    avg((position_800m is null)::integer) > 0.2
    or avg((position_400m is null)::integer) > 0.2
order by location

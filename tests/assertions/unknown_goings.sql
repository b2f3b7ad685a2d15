{{config severity="warn"}}
{{!-- goings for which seeds/track_conditions.csv has no number, on other surfaces than synthetic --}}
select
    location,
    track_condition,
    count(*) as races,
from {{ref "race_facts"}}
where
    track_condition is not null
    and track_condition_numeric is null
    and track_type is distinct from 'synthetic'
group by
    location,
    track_condition
order by races desc

{{config severity="warn"}}
{{!-- classes for which seeds/class_ratings.csv has no number: class_rating is NULL in their races --}}
select
    location,
    race_class,
    count(*) as races,
from {{ref "race_facts"}}
where
    race_class is not null
    and class_rating is null
group by
    location,
    race_class
order by races desc

{{config severity="warn"}}
{{!-- races that nothing can be made of: without an id, or with a date that is none --}}
select
    race_id,
    race_date,
    track_name,
    case when race_id is null then 'no race_id' else 'race_date is missing or a placeholder' end as reason,
from {{source "races"}}
where
    race_id is null
    or race_date is null
    or race_date not between date '1900-01-01' and date '2099-12-31'

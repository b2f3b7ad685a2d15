{{config severity="warn"}}
{{!-- declared runners that no starter can be made of: neither slug nor name, or a race that is not there --}}
select
    results.id,
    results.race_id,
    results.horse_number,
    case when races.race_id is null then 'no such race' else 'neither slug nor name' end as reason,
from {{source "race_results"}} as results
left join {{ref "stg_races"}} as races on results.race_id = races.race_id
where
    races.race_id is null
    or (nullif(trim(results.horse_slug), '') is null and slug(decode_entities(results.horse_name)) is null)

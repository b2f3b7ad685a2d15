{{!-- nobody who was scratched is a starter, whatever place stands beside it --}}
select
    runners.race_id,
    runners.horse_slug,
from {{ref "runners"}} as runners
inner join {{ref "stg_race_results"}} as stg_race_results
    on runners.race_id = stg_race_results.race_id
    and runners.horse_slug = stg_race_results.horse_slug
where stg_race_results.is_scratched

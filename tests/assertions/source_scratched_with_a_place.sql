{{config severity="warn"}}
{{!-- a scratching or a status of not finishing with a place beside it; the status was believed --}}
select
    id,
    race_id,
    horse_slug,
    finish_status,
    position,
from {{source "race_results"}}
where
    status_code(finish_status) in ('SCRATCHED', 'LATE_SCRATCHED', 'DNF', 'FELL', 'PULLED_UP', 'UNSEATED', 'DSQ')
    and position between 1 and {{var "position_sentinel_from"}} - 1

{{!-- one row per starter of a race that has been run: every feature as of the day before, and what came of it --}}
select * exclude (runner_id, has_run)
from {{ref "race_dataset"}}
where has_run

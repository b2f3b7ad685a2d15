{{!-- one row per starter: whether it comes back from a spell, and what the horse has made of that before --}}
select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,
    previous_starts.is_first_up,
    previous_starts.is_second_up,
    coalesce(career_state.first_up_starts, 0)::usmallint as first_up_starts,
    rate(career_state.first_up_wins, career_state.first_up_starts) as first_up_win_rate,
    coalesce(career_state.second_up_starts, 0)::usmallint as second_up_starts,
    rate(career_state.second_up_wins, career_state.second_up_starts) as second_up_win_rate,
from {{ref "previous_starts"}} as previous_starts
left join {{ref "career_state"}} as career_state on previous_starts.horse_start = career_state.runner_id
order by runner_id

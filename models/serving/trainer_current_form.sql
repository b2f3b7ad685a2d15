{{!-- one row per trainer_slug: its form after the latest result, days counted from the refresh; in
      Postgres' SQL --}}
select
    trainer_slug,
    total_runners,
    wins,
    places,
    win_percentage,
    place_percentage,
    avg_position_50,
    avg_position_100,
    last_50_win_rate,
    last_100_win_rate,
    current_date - last_runner_date as days_since_last_runner
from {{ref "trainer_form_state"}}

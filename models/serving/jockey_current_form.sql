{{!-- one row per jockey_slug: its form after the latest result, days counted from the refresh; in
      Postgres' SQL --}}
select
    jockey_slug,
    total_rides,
    wins,
    places,
    win_percentage,
    place_percentage,
    avg_position_20,
    avg_position_50,
    last_20_win_rate,
    last_50_win_rate,
    current_date - last_ride_date as days_since_last_ride
from {{ref "jockey_form_state"}}

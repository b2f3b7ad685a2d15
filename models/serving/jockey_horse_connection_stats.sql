{{!-- one row per pair of horse_slug and jockey_slug that has raced together; in Postgres' SQL --}}
select
    horse_slug,
    jockey_slug,
    connection_races,
    connection_wins,
    connection_places,
    connection_win_rate,
    connection_place_rate,
    last_ride_together,
    strong_connection
from {{ref "jockey_horse_connection_state"}}

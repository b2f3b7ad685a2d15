{{!-- one row per pair of jockey_slug and trainer_slug that has raced together; in Postgres' SQL --}}
select
    jockey_slug,
    trainer_slug,
    connection_races,
    connection_wins,
    connection_places,
    connection_win_rate,
    connection_place_rate,
    last_ride_together,
    strong_connection
from {{ref "jockey_trainer_connection_state"}}

{{!-- one row per pair of jockey_slug and trainer_slug that has raced together, after the latest result; where it has in
      several locations, the location of its latest start speaks --}}
with pairs as (
    select
        jockey_slug,
        trainer_slug,
        count(*) as races,
        count(*) filter (where is_win) as wins,
        count(*) filter (where is_place) as places,
        max(race_date) as last_ride_together,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where has_run and jockey_slug is not null and trainer_slug is not null
    group by
        jockey_key,
        trainer_key,
        jockey_slug,
        trainer_slug
)

select
    jockey_slug,
    trainer_slug,
    races::uinteger as connection_races,
    wins::uinteger as connection_wins,
    places::uinteger as connection_places,
    rate(wins, races) as connection_win_rate,
    rate(places, races) as connection_place_rate,
    last_ride_together,
    is_strong_connection(wins, races, 5, 0.15) as strong_connection,
from pairs
qualify row_number() over (partition by jockey_slug, trainer_slug order by latest_start desc) = 1

-- The last section begins where the checkpoint is stored for: 400 m to go rounded down to a multiple of 200 from the
-- start, at the true mark in Hong Kong (450 m for 400), so that its length is 400 m and nothing else is known of it.
create or replace macro finishing_speed(last_400m_seconds, race_seconds, race_distance) as
    case
        when last_400m_seconds > 0 and race_seconds > 0 and race_distance > 400
            then 100 * (400 / last_400m_seconds) / (race_distance / race_seconds)
    end::float;

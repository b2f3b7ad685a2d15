-- Which timing checkpoint is passed with `to_go` metres left: its index, 1 for 200 m from the start, 2 for 400 m.
-- The distance covered is rounded DOWN to a multiple of 200; at or before 0 m there is no checkpoint: NULL.
create or replace macro checkpoint(race_distance, to_go) as
    case
        when race_distance - to_go >= 200 then ((race_distance - to_go) // 200)::integer
    end;

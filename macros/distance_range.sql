create or replace macro distance_range(race_distance) as
    case
        when race_distance <= 1300 then 'sprint'
        when race_distance <= 1899 then 'mile'
        when race_distance <= 2199 then 'middle'
        when race_distance > 2199 then 'staying'
    end;

-- Goings whose times can be compared. Synthetic tracks have no number and hardly change; unknown elsewhere: NULL.
create or replace macro going_group(track_type, track_condition_numeric) as
    case
        when track_type = 'synthetic' then 'synthetic'
        when track_condition_numeric < 3 then 'firm'
        when track_condition_numeric < 5 then 'good'
        when track_condition_numeric < 7 then 'yielding'
        when track_condition_numeric < 9 then 'soft'
        when track_condition_numeric >= 9 then 'heavy'
    end;

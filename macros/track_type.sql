-- turf, dirt or synthetic: what the race says, else what the track is known for.
create or replace macro track_type(surface, usual) as
    case
        when surface is null then usual
        when regexp_matches(upper(surface), 'SYNTH|ALL[ -]?WEATHER|AWT|POLY|TAPETA|CUSHION|FIBRE') then 'synthetic'
        when regexp_matches(upper(surface), 'DIRT|SAND') then 'dirt'
        when regexp_matches(upper(surface), 'TURF|GRASS') then 'turf'
        else usual
    end;

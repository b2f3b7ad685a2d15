-- How far the rail is moved out, in metres, from the text: the first figure of "Out 6m" or "+3m 1000-400"; true is 0.
-- Hong Kong's courses are set by letter: A is the true rail, B about 4.5 m out and C about 9 m, and "+3" adds to it.
create or replace macro rail_out(track_info) as
    case
        when regexp_matches(upper(track_info), '\b[ABC] ?(\+ ?\d+)? ?COURSE')
            then case regexp_extract(upper(track_info), '\b([ABC]) ?(?:\+ ?\d+)? ?COURSE', 1)
                    when 'A' then 0
                    when 'B' then 4.5
                    else 9
                end
                + coalesce(try_cast(regexp_extract(upper(track_info), '\b[ABC] ?\+ ?(\d+) ?COURSE', 1) as float), 0)
        when regexp_matches(upper(track_info), '(OUT|\+) ?:?(BY )?\d')
            then try_cast(
                regexp_extract(upper(track_info), '(?:OUT|\+) ?:?(?:BY )?(\d+(?:\.\d+)?)', 1) as float
            )
        when regexp_matches(upper(track_info), '\d ?(M|METRES?|METERS?) ?OUT\b')
            then try_cast(
                regexp_extract(upper(track_info), '(\d+(?:\.\d+)?) ?(?:M|METRES?|METERS?) ?OUT\b', 1) as float
            )
        when regexp_matches(upper(track_info), '\b(TRUE|NORMAL)\b') then 0
    end::float;

-- Rungs of the ladder that class_rating measures, so that a step means the same in every country:
-- 1 maiden or lower, 2 to 6 by rating, 7 open company, 8 listed, 9 to 11 group 3 to 1.
create or replace macro class_level(class_rating) as
    case
        when class_rating <= 50 then 1
        when class_rating <= 58 then 2
        when class_rating <= 64 then 3
        when class_rating <= 70 then 4
        when class_rating <= 78 then 5
        when class_rating <= 88 then 6
        when class_rating < 100 then 7
        when class_rating < 105 then 8
        when class_rating < 110 then 9
        when class_rating < 115 then 10
        when class_rating >= 115 then 11
    end::utinyint;

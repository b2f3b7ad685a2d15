-- Ages a class admits, from its text in capitals: 2yo, 3yo, 4yo; 3yo+ where older ones may run; 3-4yo for a span.
-- NULL where the text does not say.
create or replace macro age_restriction(race_class) as
    case
        when regexp_matches(race_class, '\b\d ?(?:-|AND|&|/) ?\d ?(YO|Y\.O|YRS?|YEAR)')
            then regexp_extract(race_class, '\b(\d) ?(?:-|AND|&|/) ?(\d) ?(?:YO|Y\.O|YRS?|YEAR)', 1)
                || '-' || regexp_extract(race_class, '\b(\d) ?(?:-|AND|&|/) ?(\d) ?(?:YO|Y\.O|YRS?|YEAR)', 2) || 'yo'
        when regexp_matches(race_class, '\b\d ?\+? ?(YO|Y\.O\.?|YRS?|YEARS?)[ -]?(OLDS?)? ?(\+|PLUS|& ?UP|AND ?UP|UP|AND OLDER)|\b\d\+ ?(YO|YRS?|YEAR)')
            then regexp_extract(race_class, '\b(\d) ?\+? ?(?:YO|Y\.O|YR|YEAR)', 1) || 'yo+'
        when regexp_matches(race_class, '\b\d ?-?(YO|Y\.O|YRS?|YEAR)')
            then regexp_extract(race_class, '\b(\d) ?-?(?:YO|Y\.O|YR|YEAR)', 1) || 'yo'
        when regexp_matches(race_class, '\b(TWO|2)[ -]YEAR') then '2yo'
        when regexp_matches(race_class, '\b(THREE|3)[ -]YEAR') then '3yo'
    end;

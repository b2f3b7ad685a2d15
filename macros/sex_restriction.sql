-- Sexes a class admits, from its text in capitals. NULL where the text does not say.
create or replace macro sex_restriction(race_class) as
    case
        when regexp_matches(race_class, '\b(FILLIES|F) ?(AND|&|/|\+) ?(MARES|M)\b|\bF ?& ?M\b') then 'fillies and mares'
        when regexp_matches(race_class, '\b(COLTS|C),? ?(HORSES,? ?)?(AND|&|/|\+) ?(GELDINGS|G)\b|\bC ?& ?G\b')
            then 'colts and geldings'
        when regexp_matches(race_class, '\bCOLTS,? ?(AND|&|/) ?FILLIES\b') then 'colts and fillies'
        when regexp_matches(race_class, '\bFILLIES\b|\bFILLY\b') then 'fillies'
        when regexp_matches(race_class, '\bMARES\b') then 'mares'
        when regexp_matches(race_class, '\bCOLTS\b') then 'colts'
        when regexp_matches(race_class, '\bGELDINGS\b') then 'geldings'
    end;

-- A horse's name reduced to what two feeds agree on: no case, accents, punctuation, entity or country suffix.
create or replace macro plain_name(name) as
    nullif(
        case
            -- Most names: nothing to strip but spaces.
            when regexp_full_match(name, '[A-Za-z0-9 ]*') then replace(lower(name), ' ', '')
            else regexp_replace(
                regexp_replace(lower(strip_accents(decode_entities(name))), '\s*\([a-z]{2,4}\)\s*$', ''),
                '[^a-z0-9]+', '', 'g'
            )
        end,
        ''
    );

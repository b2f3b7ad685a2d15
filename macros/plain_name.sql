-- A horse's name reduced to what two feeds agree on: no case, accents, punctuation, entity or country suffix.
create or replace macro plain_name(name) as
    nullif(
        regexp_replace(
            regexp_replace(lower(strip_accents(decode_entities(name))), '\s*\([a-z]{2,4}\)\s*$', ''),
            '[^a-z0-9]+', '', 'g'
        ),
        ''
    );

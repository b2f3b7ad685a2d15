-- A name as the sources spell slugs: "O'Reilly's Bay" is oreillys-bay. NULL where nothing is left.
create or replace macro slug(name) as
    nullif(
        trim(
            regexp_replace(
                regexp_replace(lower(strip_accents(name)), '[''’`.]', '', 'g'),
                '[^a-z0-9]+', '-', 'g'
            ),
            '-'
        ),
        ''
    );

-- A saddlecloth number as text: 1, "01" and "1.0" are the same, "1A" is another, empty and 0 are NULL.
create or replace macro saddlecloth(number) as
    nullif(
        ltrim(regexp_replace(upper(trim(number::varchar)), '\.0+$|[^0-9A-Z.]', '', 'g'), '0'),
        ''
    );

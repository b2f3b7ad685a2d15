-- A slug as delivered, else made from the name. The name is handed on only where it is needed: expressions that stand
-- twice are computed for every row, and making a slug is dear.
create or replace macro slug_or_name(given, name) as
    coalesce(
        nullif(lower(trimmed(given)), ''),
        slug(case when nullif(trimmed(given), '') is null then decode_entities(name) end)
    );

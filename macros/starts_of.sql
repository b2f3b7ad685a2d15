-- The first of the two counts in a sum of starts_and_wins.
create or replace macro starts_of(counts) as
    (coalesce(counts, 0)::bigint & 67108863)::uinteger;

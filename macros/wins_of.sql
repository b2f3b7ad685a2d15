-- The second of the two counts in a sum of starts_and_wins.
create or replace macro wins_of(counts) as
    (coalesce(counts, 0)::bigint >> 26)::uinteger;

-- A number in place of a text, of a name alone or within a location: 53 bits of its hash, which a double holds exactly. Of
-- a million texts two share a number once in 18,000 such sets, and keys_tell_entities_apart stops the run that has them.
create or replace macro entity_key
    (name) as case when name is not null then (hash(name) >> 11)::bigint end,
    (name, location) as case when name is not null then (hash(name, location) >> 11)::bigint end;

-- The roles that `rebuild` needs, with no more than it needs. Run once, as the owner of the database, after a look at the names:
-- the source tables and the schema that is published into. On a host with Supabase's roles that owner is `postgres`.
--
-- Afterwards each gets a password (\password rebuild_reader, \password rebuild_publisher), and profiles.yml two URLs.

-- Reads the source tables in one snapshot; writes nothing.
create role rebuild_reader login connection limit 5;
alter role rebuild_reader set default_transaction_read_only = on;
grant usage on schema public to rebuild_reader;
grant select on public.races, public.race_results, public.sectional_times to rebuild_reader;
-- Row security on a source table would hide rows: the extraction then fails instead. Where there is any, as a superuser:
-- alter role rebuild_reader bypassrls;

-- Publishes. No superuser, no right to create schemas: it owns its three private ones, which nobody else may use.
create role rebuild_publisher login connection limit 5;
do $$ begin execute format('grant connect, temporary on database %I to rebuild_reader, rebuild_publisher', current_database()); end $$;
create schema rebuild_build;
create schema rebuild_archive;
create schema rebuild_meta;
create schema rebuild_serving;
alter schema rebuild_build owner to rebuild_publisher;
alter schema rebuild_archive owner to rebuild_publisher;
alter schema rebuild_meta owner to rebuild_publisher;
-- Tables that only the published views read.
alter schema rebuild_serving owner to rebuild_publisher;
-- What is published lies here beside other tables; it may not touch those.
grant usage, create on schema public to rebuild_publisher;

-- Only where these hold. What is in service already belongs to somebody: the publisher acts for its owner, or takes it over.
-- alter table public.race_training_dataset owner to rebuild_publisher;
-- A table in service that forces row security on its owner:
-- alter role rebuild_publisher bypassrls;
-- A publication that a published table is in:
-- alter publication supabase_realtime owner to rebuild_publisher;
-- keep_generations above 1: every swap makes a schema.
-- grant create on database postgres to rebuild_publisher;

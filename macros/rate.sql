-- Successes per trial, 0 to 1; NULL without a trial.
create or replace macro rate(successes, trials) as
    case when trials > 0 then successes / trials end::float;

-- A rate drawn towards its prior: as if `strength` trials at the prior had been seen before the first one.
-- Without a trial there is no evidence: NULL.
create or replace macro shrunk_rate(successes, trials, prior, strength) as
    case when trials > 0 then (successes + strength * prior) / (trials + strength) end::float;

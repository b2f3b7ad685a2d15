-- Whether two numbers are not the same but for rounding; NULL equals NULL only.
create or replace macro differs(one, other) as
    (one is null) <> (other is null)
    or coalesce(abs(one - other) > 1e-5 * greatest(1, abs(other)), false);

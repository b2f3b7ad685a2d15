-- The style that a mean share of the field in front at 800 m to go stands for. Rounded, because a mean of exactly
-- 0.15 or 0.40 must not fall on either side by the last bit of a sum.
create or replace macro running_style(mean_settle_pct, known_runs) as
    case
        when known_runs is null or known_runs < 2 then 'unknown'
        when round(mean_settle_pct, 9) <= 0.15 then 'leader'
        when round(mean_settle_pct, 9) <= 0.40 then 'stalker'
        when round(mean_settle_pct, 9) <= 0.70 then 'midfield'
        else 'closer'
    end;

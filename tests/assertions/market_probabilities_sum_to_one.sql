{{!-- the market's chances of a race are all known or all unknown, and sum to one --}}
select
    race_id,
    count(*) as starters,
    count(market_probability) as known,
    sum(market_probability) as total,
from {{ref "market"}}
group by race_id
having
    count(market_probability) not in (0, count(*))
    or (count(win_odds) < count(*) and count(market_probability) > 0)
    or abs(sum(market_probability) - 1) > 1e-9
    or count(*) filter (where odds_rank_in_race = 1) = 0 and count(win_odds) > 0

{{!-- one row per starter: the market's probability of its win, once the race has been run; an outcome's yardstick, read by
      later days only --}}
with prices as (
    select
        race_id,
        -- Decimals add up to the same sum in any order.
        sum((1 / win_odds)::decimal(18, 12)) as overround,
        -- With one price missing, the others' shares of the sum would be too large.
        count(win_odds) = count(*) as is_fully_priced,
    from {{ref "runners"}}
    where has_run
    group by race_id
)

select
    runners.runner_id,
    -- A lone price's share of a rounded sum may be just over 1.
    case when prices.is_fully_priced then least(1 / runners.win_odds / prices.overround, 1) end::decimal(18, 12)
        as expected_win,
from {{ref "runners"}} as runners
left join prices on runners.race_id = prices.race_id
order by runner_id

{{!-- one row per starter: what the win odds of this race say; nothing here is known without them --}}
with priced as (
    select
        runner_id,
        race_id,
        race_date,
        win_odds,
        1 / win_odds as implied,
        count(win_odds) over race = count(*) over race as is_fully_priced,
        -- Decimals add up to the same sum in any order.
        sum((1 / win_odds)::decimal(18, 15)) over race::double as implied_sum,
        count(win_odds) over race as priced_runners,
        min(win_odds) over race as shortest_odds,
    from {{ref "runners"}}
    window race as (partition by race_id)
),

final as (
    select
        runner_id,
        race_id,
        race_date,

        win_odds,
        implied as odds_implied_probability,
        -- A sum over some of the prices is not the sum of the race.
        -- A single price over the rounded sum of itself may come out a hair above 1.
        case when is_fully_priced then least(implied / implied_sum, 1) end as market_probability,
        case when is_fully_priced then implied_sum - 1 end as overround,
        case when win_odds is not null then rank() over by_odds end::usmallint as odds_rank_in_race,
        -- Of the other prices, the share that is longer.
        case
            when win_odds is null then null
            when priced_runners = 1 then 1
            else (priced_runners - rank() over by_odds - count(*) over same_odds + 1) / (priced_runners - 1)
        end::float as odds_percentile_in_race,
        case when win_odds is not null then rank() over by_odds = 1 end as is_favorite,
        win_odds > {{var "longshot_above_odds"}} as is_longshot,
        ln(win_odds)::float as log_win_odds,
        (win_odds / nullif(shortest_odds, 0))::float as odds_to_favorite_ratio,
    from priced
    window
        by_odds as (partition by race_id order by win_odds nulls last),
        -- lint: accept current-row: the other prices of this race, no outcome
        same_odds as (
            partition by race_id order by win_odds nulls last groups between current row and current row
        )
)

select * from final
order by runner_id

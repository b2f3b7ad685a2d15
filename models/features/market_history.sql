{{!-- one row per starter: what the market thought of the horse in its earlier races, and whether it was right --}}
with priced_starts as (
    select
        runners.runner_id,
        runners.horse_key,
        runners.is_win,
        runners.position,
        market.market_probability::decimal(18, 12) as market_probability,
        market.odds_rank_in_race,
        ln(market.win_odds)::decimal(18, 12) as log_odds,
        market.is_favorite,
    from {{ref "runners"}} as runners
    positional join {{ref "market"}} as market
    where
        is_in_step(runners.runner_id, market.runner_id, 'market')
        and runners.has_run
        and market.win_odds is not null
),

summed as (
    select
        runner_id,
        count(*) over career as priced_runs,
        exp((avg(log_odds) over latest_five)::double) as typical_odds_5,
        avg(market_probability) over latest_five as mean_probability_5,
        last_value(market_probability ignore nulls) over career as last_probability,
        max(market_probability) over career as best_probability,
        exp(log_odds::double) as last_odds,
        odds_rank_in_race as last_odds_rank,
        count(*) filter (where is_favorite) over career as favorite_runs,
        avg(is_win::integer - market_probability) over career as win_surplus,
        avg(odds_rank_in_race::double - position::double) over latest_five as rank_surplus_5,
    from priced_starts
    -- lint: accept current-row: read through priced_start, which points to an earlier day
    window
        career as (
            partition by horse_key
            order by runner_id
            rows between unbounded preceding and current row
        ),
        latest_five as (
            partition by horse_key
            order by runner_id
            rows between 4 preceding and current row
        )
)

select
    previous_starts.runner_id,
    previous_starts.race_id,
    previous_starts.race_date,

    coalesce(past.priced_runs, 0)::usmallint as past_priced_runs,
    past.last_odds::float as past_odds_last,
    past.typical_odds_5::float as past_odds_typical_5,
    past.last_probability::float as past_market_probability_last,
    past.mean_probability_5::float as past_market_probability_avg_5,
    past.best_probability::float as past_market_probability_best,
    past.last_odds_rank::usmallint as past_odds_rank_last,
    (past.favorite_runs / past.priced_runs)::float as past_favorite_rate,
    past.win_surplus::float as past_win_surplus_vs_market,
    past.rank_surplus_5::float as past_finish_vs_odds_rank_5,
from {{ref "previous_starts"}} as previous_starts
left join summed as past on previous_starts.priced_start = past.runner_id
where previous_starts.race_id is not null
order by runner_id

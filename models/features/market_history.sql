{{!-- one row per starter: what the market thought of the horse in its earlier races, and whether it was right --}}
with priced_starts as (
    select
        runners.runner_id,
        runners.horse_key,
        runners.race_date,
        runners.is_win,
        runners.position,
        market.market_probability::decimal(18, 12) as market_probability,
        market.odds_rank_in_race,
        ln(market.win_odds)::decimal(18, 12) as log_odds,
        market.is_favorite,
    from {{ref "runners"}} as runners
    inner join {{ref "market"}} as market on runners.runner_id = market.runner_id
    where
        runners.has_run
        and runners.horse_key is not null
        and market.win_odds is not null
),

summed as (
    select
        horse_key,
        race_date,
        count(*) over career as priced_runs,
        exp((avg(log_odds) over latest_five)::double) as typical_odds_5,
        avg(market_probability) over latest_five as mean_probability_5,
        last_value(market_probability ignore nulls) over career as last_probability,
        max(market_probability) over career as best_probability,
        exp(log_odds::double) as last_odds,
        odds_rank_in_race as last_odds_rank,
        avg(is_favorite::integer) over career as favorite_rate,
        avg(is_win::integer - market_probability) over career as win_surplus,
        avg(odds_rank_in_race::integer - position::integer) over latest_five as rank_surplus_5,
        lead(race_date) over (partition by horse_key order by runner_id) is distinct from race_date
            as is_last_of_day,
    from priced_starts
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
),

days as (
    select * from summed where is_last_of_day
),

final as (
    select
        runners.runner_id,
        runners.race_id,
        runners.horse_slug,
        runners.race_date,

        coalesce(days.priced_runs, 0)::usmallint as past_priced_runs,
        days.last_odds::float as past_odds_last,
        days.typical_odds_5::float as past_odds_typical_5,
        days.last_probability::float as past_market_probability_last,
        days.mean_probability_5::float as past_market_probability_avg_5,
        days.best_probability::float as past_market_probability_best,
        days.last_odds_rank::usmallint as past_odds_rank_last,
        days.favorite_rate::float as past_favorite_rate,
        days.win_surplus::float as past_win_surplus_vs_market,
        days.rank_surplus_5::float as past_finish_vs_odds_rank_5,
    from {{ref "runners"}} as runners
    asof left join days
        on runners.horse_key = days.horse_key
        and runners.race_date > days.race_date
)

select * from final
order by runner_id

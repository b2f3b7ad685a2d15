{{!-- one row per starter: history and ratings against the win odds of this race --}}
with final as (
    select
        market.runner_id,
        market.race_id,
        market.race_date,

        rating_features.elo_percentile_in_race - market.odds_percentile_in_race as elo_vs_odds_gap,
        form.form_momentum - market.odds_percentile_in_race as form_vs_odds_gap,
        rating_features.elo_win_probability - market.market_probability::float as elo_vs_market_probability,
        -- NULL and false is false: without a price nothing may be said.
        case
            when market.win_odds is not null
                then market.is_longshot and form.form_momentum > {{var "longshot_form_above"}}
        end as improving_longshot,
        case when market.win_odds is not null then market.is_longshot and class.class_drop > 0 end
            as class_drop_longshot,
        case
            when market.win_odds is not null
                then market.is_longshot
                    and (connections.strong_jockey_connection or connections.strong_trainer_connection)
        end as connection_longshot,
    from {{ref "market"}} as market
    positional join {{ref "rating_features"}} as rating_features
    positional join {{ref "form"}} as form
    positional join {{ref "class"}} as class
    positional join {{ref "connections"}} as connections
    where
        is_in_step(market.runner_id, rating_features.runner_id, 'rating_features')
        and is_in_step(market.runner_id, form.runner_id, 'form')
        and is_in_step(market.runner_id, class.runner_id, 'class')
        and is_in_step(market.runner_id, connections.runner_id, 'connections')
)

select * from final
order by runner_id

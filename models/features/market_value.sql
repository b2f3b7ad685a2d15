{{!-- one row per starter: history and ratings against the win odds of this race --}}
select
    market.runner_id,
    market.race_id,
    market.race_date,

    {{> market_value}}
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

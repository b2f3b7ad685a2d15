{{!-- what a jockey did with the horse and with the trainer is what a self-join on earlier days gives, row by row --}}
with history as (
{{#each (list "horse" "trainer") as |partner|}}
    select
        '{{partner}}' as partner,
        today.runner_id,
        count(past.runner_id) as races,
        count(past.runner_id) filter (where past.position = 1) as wins,
        count(past.runner_id) filter (where past.position <= 3) as places,
    from {{ref "runners"}} as today
    left join {{ref "runners"}} as past
        on today.jockey_key = past.jockey_key
        and today.{{partner}}_key = past.{{partner}}_key
        and past.race_date < today.race_date
        and past.has_run
    where
        -- Pairs with a long history are many: for riders and stables every sixth pair.
        '{{partner}}' = 'horse'
        or (7 * coalesce(today.jockey_key, 0) + coalesce(today.trainer_key, 0)) % 6 = 0
    group by today.runner_id
{{#unless @last}}
    union all
{{/unless}}
{{/each}}
)

select
    connections.race_id,
    connections.runner_id,
    history.*,
from history
inner join {{ref "connections"}} as connections on history.runner_id = connections.runner_id
where
    case history.partner
        when 'horse' then
            connections.jockey_horse_connection_races is distinct from history.races
            or connections.jockey_horse_connection_wins is distinct from history.wins
            or differs(connections.jockey_horse_connection_win_rate, history.wins / nullif(history.races, 0))
        else
            connections.jockey_trainer_connection_races is distinct from history.races
            or connections.jockey_trainer_connection_wins is distinct from history.wins
            or differs(connections.jockey_trainer_connection_win_rate, history.wins / nullif(history.races, 0))
    end

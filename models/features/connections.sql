{{!-- one row per starter: what its horse, jockey and trainer did together before the day of the race --}}
with together as (
    select
        runner_id,
        race_id,
        race_date,
        location,
{{#each (list "jockey_horse" "jockey_trainer" "trainer_horse") as |pair|}}
        count(*) filter (where has_run) over {{pair}}_before_today as {{pair}}_races,
        count(*) filter (where is_win) over {{pair}}_before_today as {{pair}}_wins,
        count(*) filter (where is_place) over {{pair}}_before_today as {{pair}}_places,
        -- The latest of all, as days come in order, in half the time of max().
        -- lint: accept tie-break: starts of one day have the same date
        last_value(case when has_run then race_date end ignore nulls) over {{pair}}_before_today as {{pair}}_last_date,
{{/each}}
        jockey_key is not null as has_jockey,
        trainer_key is not null as has_trainer,
    from {{ref "runners"}}
    window
        jockey_horse_before_today as (
            partition by jockey_key, horse_key order by race_date
            groups between unbounded preceding and 1 preceding
        ),
        jockey_trainer_before_today as (
            partition by jockey_key, trainer_key order by race_date
            groups between unbounded preceding and 1 preceding
        ),
        trainer_horse_before_today as (
            partition by trainer_key, horse_key order by race_date
            groups between unbounded preceding and 1 preceding
        )
),

-- Starters without a known jockey or trainer have nobody in common with each other.
known as (
    select
        * replace (
{{#each (list "races" "wins" "places") as |count|}}
            case when has_jockey then jockey_horse_{{count}} else 0 end as jockey_horse_{{count}},
            case when has_jockey and has_trainer then jockey_trainer_{{count}} else 0 end
                as jockey_trainer_{{count}},
            case when has_trainer then trainer_horse_{{count}} else 0 end as trainer_horse_{{count}},
{{/each}}
            case when has_jockey then jockey_horse_last_date end as jockey_horse_last_date,
            case when has_jockey and has_trainer then jockey_trainer_last_date end as jockey_trainer_last_date
        ),
    from together
)

select
    known.runner_id,
    known.race_id,
    known.race_date,
{{#each (list "jockey_horse" "jockey_trainer") as |pair|}}

    known.{{pair}}_races::uinteger as {{pair}}_connection_races,
    known.{{pair}}_wins::uinteger as {{pair}}_connection_wins,
    known.{{pair}}_places::uinteger as {{pair}}_connection_places,
    rate(known.{{pair}}_wins, known.{{pair}}_races) as {{pair}}_connection_win_rate,
    rate(known.{{pair}}_places, known.{{pair}}_races) as {{pair}}_connection_place_rate,
    shrunk_rate(
        known.{{pair}}_wins,
        known.{{pair}}_races,
        location_rates.location_win_rate,
        {{#if @first}}{{var "jockey_horse_prior_races"}}{{else}}{{var "jockey_trainer_prior_races"}}{{/if}}
    ) as {{pair}}_connection_win_rate_shrunk,
    (known.race_date - known.{{pair}}_last_date)::usmallint as {{pair}}_days_since_together,
{{/each}}

    known.trainer_horse_races::uinteger as trainer_horse_connection_races,
    rate(known.trainer_horse_wins, known.trainer_horse_races) as trainer_horse_connection_win_rate,
    is_strong_connection(known.jockey_horse_wins, known.jockey_horse_races, 3, 0.2) as strong_jockey_connection,
    is_strong_connection(known.jockey_trainer_wins, known.jockey_trainer_races, 5, 0.15) as strong_trainer_connection,
    shrunk_rate(
        known.jockey_horse_wins + known.jockey_trainer_wins,
        known.jockey_horse_races + known.jockey_trainer_races,
        location_rates.location_win_rate,
        {{var "jockey_trainer_prior_races"}}
    ) as total_connection_score,
from known
inner join {{ref "location_rates"}} as location_rates
    on known.location = location_rates.location
    and known.race_date = location_rates.race_date
order by runner_id

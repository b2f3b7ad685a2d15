{{!-- every horse, jockey and trainer that has started stands in its current form once, with all its starts there --}}
with expected as (
    select
        'horse' as entity,
        horse_slug as slug,
        horse_key as entity_key,
        count(*) as starts,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where has_run
    group by horse_slug, horse_key
    union all
    select
        'jockey' as entity,
        jockey_slug as slug,
        jockey_key as entity_key,
        count(*) as starts,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where has_run and jockey_slug is not null
    group by jockey_slug, jockey_key
    union all
    select
        'trainer' as entity,
        trainer_slug as slug,
        trainer_key as entity_key,
        count(*) as starts,
        max(runner_id) as latest_start,
    from {{ref "runners"}}
    where has_run and trainer_slug is not null
    group by trainer_slug, trainer_key
),

latest as (
    select *
    from expected
    qualify row_number() over (partition by entity, slug order by latest_start desc) = 1
),

published as (
    select 'horse' as entity, horse_slug as slug, total_races as starts from {{ref "horse_form_state"}}
    union all
    select 'jockey' as entity, jockey_slug as slug, total_rides as starts from {{ref "jockey_form_state"}}
    union all
    select 'trainer' as entity, trainer_slug as slug, total_runners as starts from {{ref "trainer_form_state"}}
)

select
    coalesce(latest.entity, published.entity) as entity,
    coalesce(latest.slug, published.slug) as slug,
    latest.starts as expected_starts,
    published.starts,
from latest
full join published
    on latest.entity = published.entity
    and latest.slug = published.slug
where latest.starts is distinct from published.starts

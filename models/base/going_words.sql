{{!-- one row per location and spelling of the going: its number on the scale of 1 (firm) to 10 (heavy) --}}
with spellings as (
    select distinct
        track_names.location,
        stg_races.track_condition,
        trim(regexp_replace(upper(stg_races.track_condition), '[\s_/]+', ' ', 'g')) as plain,
    from {{ref "stg_races"}} as stg_races
    inner join {{ref "track_names"}} as track_names on stg_races.track_name = track_names.track_name
    where stg_races.track_condition is not null
),

-- A pattern of the location goes before one of all locations with a later priority: the seed is ordered.
matched as (
    select
        spellings.location,
        spellings.track_condition,
        arg_min(
            case patterns.basis
                when 'number' then try_cast(regexp_extract(spellings.plain, patterns.pattern, 1) as float)
                else patterns.rating
            end,
            patterns.priority
        ) as number,
    from spellings
    inner join {{ref "track_conditions"}} as patterns
        on patterns.location in (spellings.location, '*')
        and regexp_matches(spellings.plain, patterns.pattern)
    group by
        spellings.location,
        spellings.track_condition
)

select
    spellings.location,
    spellings.track_condition,
    case when matched.number between 1 and 10 then matched.number end::float as track_condition_numeric,
from spellings
left join matched
    on spellings.location = matched.location
    and spellings.track_condition = matched.track_condition

{{!-- one row per location and spelling of a race's class: its rating, and what else the text says --}}
with spellings as (
    select distinct
        track_names.location,
        stg_races.race_class,
        trim(regexp_replace(upper(stg_races.race_class), '[\s_]+', ' ', 'g')) as plain,
    from {{ref "stg_races"}} as stg_races
    inner join {{ref "track_names"}} as track_names on stg_races.track_name = track_names.track_name
    where stg_races.race_class is not null
),

words as (
    select distinct location, plain
    from spellings
),

-- The seed is ordered: the first pattern that matches speaks, also where it finds no number.
matched as (
    select
        words.location,
        words.plain,
        first(patterns.basis order by patterns.priority) as basis,
        first(patterns.rating order by patterns.priority) as rating,
        first(patterns.pattern order by patterns.priority) as pattern,
    from words
    inner join {{ref "class_ratings"}} as patterns
        on patterns.location in (words.location, '*')
        and regexp_matches(words.plain, patterns.pattern)
    group by
        words.location,
        words.plain
),

-- Figures in the text: a pattern with alternatives has its figures in one of them.
figured as (
    select
        *,
{{#each (list 1 2 3 4) as |group|}}
        case when basis <> 'fixed' then nullif(regexp_extract(plain, pattern, {{group}}), '') end::float as figure_{{group}},
{{/each}}
    from matched
),

rated as (
    select
        spellings.location,
        spellings.race_class,
        spellings.plain,
        case figured.basis
            when 'fixed' then figured.rating
            when 'number' then coalesce(figured.figure_1, figured.figure_2)
            when 'band' then
                coalesce(
                    (figured.figure_1 + figured.figure_2) / 2,
                    (figured.figure_3 + figured.figure_4) / 2
                )
        end::float as class_rating,
    from spellings
    left join figured
        on spellings.location = figured.location
        and spellings.plain = figured.plain
)

select
    location,
    race_class,
    class_rating,
    class_level(class_rating) as class_level_numeric,
    regexp_matches(plain, '\b(MAIDEN|MDN)\b') as is_maiden_race,
    regexp_matches(
        plain,
        '\b(HANDICAP|HCP|H''?CAP|BM ?-?\d|BENCHMARK|RTG|RATING|REST\.? ?\d|R\d\d)|\b0 ?- ?\d\d|\d\d ?- ?\d|\d\d\+'
    ) as is_handicap_race,
    age_restriction(plain) as age_restriction,
    sex_restriction(plain) as sex_restriction,
from rated

{{!-- one row per declared runner (race, horse), cleaned; scratched runners are still in it, marked --}}
with source as (
    select * from {{source "race_results"}}
),

named as (
    select
        * replace (
            nullif(trimmed(decode_entities(horse_name)), '') as horse_name,
            slug_or_name(horse_slug, horse_name) as horse_slug,
            status_code(finish_status) as finish_status,
            -- 0 and less, and the sentinels, are no places.
            case when position between 1 and {{var "position_sentinel_from"}} - 1 then position end as position
        ),
        position >= {{var "position_sentinel_from"}} as has_sentinel,
        -- lint: accept unordered-pick: names a row within this query, whichever number it is
        row_number() over () as entry,
    from source
    where race_id is not null
),

-- Two rows for one horse in one race: the later updated_at wins, else the higher id. The same sorting numbers the
-- horses of the race, with gaps where a row was dropped. It carries the keys alone: with all texts it took thrice as long.
kept as (
    select
        entry,
        row_number() over card as card_order,
    from named
    where horse_slug is not null
    window card as (
        partition by race_id
        order by horse_slug, updated_at desc nulls last, id desc
    )
    qualify lag(horse_slug) over card is distinct from horse_slug
),

latest as (
    select
        named.*,
        kept.card_order,
    from named
    inner join kept on named.entry = kept.entry
),

-- A status of not finishing outranks a place beside it; a sentinel outranks FINISHED.
decided as (
    select
        *,
        coalesce(finish_status in ('SCRATCHED', 'LATE_SCRATCHED'), false) as is_scratched,
        coalesce(finish_status in ('DNF', 'FELL', 'PULLED_UP', 'UNSEATED', 'DSQ'), false) as is_non_finisher,
    from latest
),

final as (
    select
        id,
        race_id,
        card_order::usmallint as card_order,
        horse_name,
        horse_slug,
        saddlecloth(horse_number) as horse_number,
        case when barrier > 0 then barrier end as barrier,
        case when original_weight > 0 then original_weight end as weight,
        is_scratched,
        case when not is_scratched and not is_non_finisher then position end as position,
        case
            when is_non_finisher or is_scratched then finish_status
            when position is not null then 'FINISHED'
            when has_sentinel then 'DNF'
            else finish_status
        end as finish_status,
        case when not is_scratched and not is_non_finisher and position is not null then margin end as margin,
        nullif(trimmed(decode_entities(jockey)), '') as jockey,
        slug_or_name(jockey_slug, jockey) as jockey_slug,
        nullif(trimmed(decode_entities(trainer)), '') as trainer,
        slug_or_name(trainer_slug, trainer) as trainer_slug,
        case when win_odds > 1 then win_odds end as win_odds,
        case when prize_money >= 0 then prize_money end as prize_money,
        case
            when position_800m between 1 and {{var "position_sentinel_from"}} - 1 then position_800m
        end as position_800m,
        case
            when position_400m between 1 and {{var "position_sentinel_from"}} - 1 then position_400m
        end as position_400m,
    from decided
)

select * from final

{{!-- one row per spelling of a track's name: the canonical track it means, by the seeds --}}
with spellings as (
    select distinct
        track_name,
        slug(track_name) as full_slug,
        track_text(track_name) as bare_slug,
    from {{ref "stg_races"}}
),

hinted as (
    select
        *,
        {{!-- "Ascot (GB)": a country behind the name decides between namesakes. --}}
        regexp_extract(bare_slug, '-(gb|uk|ire|ie|nz|hk|usa|us|fr|jpn|jp|uae|ae|sgp|sg|saf|za|aus|au)$', 1) as hint,
        regexp_replace(
            bare_slug, '-(gb|uk|ire|ie|nz|hk|usa|us|fr|jpn|jp|uae|ae|sgp|sg|saf|za|aus|au)$', ''
        ) as hinted_slug,
    from spellings
),

located as (
    select
        * exclude (hint),
        case hint
            when '' then null
            when 'gb' then 'UK'
            when 'ire' then 'IE'
            when 'usa' then 'US'
            when 'jpn' then 'JP'
            when 'uae' then 'AE'
            when 'sgp' then 'SG'
            when 'saf' then 'ZA'
            when 'aus' then 'AU'
            else upper(hint)
        end as hint_location,
    from hinted
),

known as (
    select track_slug as spelling, track_slug from {{ref "tracks"}}
    union all
    select alias as spelling, track_slug from {{ref "track_aliases"}}
),

-- From the most to the least literal reading; the first that the seeds know wins.
candidates as (
    select track_name, 1 as priority, full_slug as candidate, null as needs_location from located
    union all
    select track_name, 2, bare_slug, null from located
    union all
    select track_name, 3, hinted_slug || '-' || lower(hint_location), hint_location from located
    union all
    select track_name, 4, hinted_slug, hint_location from located
    union all
    select track_name, 5, regexp_replace(hinted_slug, '-(park|gardens|downs)$', ''), hint_location from located
),

found as (
    select
        candidates.track_name,
        -- lint: accept tie-break: a spelling is one track's, so that a priority stands once
        arg_min(tracks.track_slug, candidates.priority) as track_slug,
    from candidates
    inner join known on candidates.candidate = known.spelling
    inner join {{ref "tracks"}} as tracks on known.track_slug = tracks.track_slug
    where
        candidates.needs_location is null
        or candidates.needs_location = tracks.location
    group by candidates.track_name
),

final as (
    select
        located.track_name,
        coalesce(found.track_slug, located.hinted_slug, located.full_slug) as track_slug,
        found.track_slug is not null as is_known_track,
        coalesce(tracks.location, located.hint_location, 'AU') as location,
        tracks.direction as track_direction,
        tracks.category as track_category,
        case
            when regexp_matches(located.full_slug, '-(synthetic|poly|polytrack|tapeta|all-weather|aw|awt)$')
                then 'synthetic'
            else tracks.surface
        end as usual_track_type,
    from located
    left join found on located.track_name = found.track_name
    left join {{ref "tracks"}} as tracks on found.track_slug = tracks.track_slug
)

select * from final

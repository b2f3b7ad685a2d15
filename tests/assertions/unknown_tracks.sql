{{config severity="warn"}}
{{!-- tracks that the seed does not know; they count as Australian: add them to seeds/tracks.csv or track_aliases.csv --}}
select
    track_names.track_name,
    track_names.track_slug,
    track_names.location,
    count(*) as races,
from {{ref "track_names"}} as track_names
inner join {{ref "stg_races"}} as stg_races on track_names.track_name = stg_races.track_name
where not track_names.is_known_track
group by all
order by races desc

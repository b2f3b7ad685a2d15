{{!-- one row per starter: the likely pace of the race and the horse's place in it, from the styles of the field --}}
with styles as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.barrier,
        running_style.running_style,
        running_style.expected_settle_pct::decimal(18, 9) as settle,
        running_style.closing_ability_score::decimal(18, 9) as closing,
    from {{ref "runners"}} as runners
    positional join {{ref "running_style"}} as running_style
    where
        is_in_step(runners.runner_id, running_style.runner_id, 'running_style')
),

races as (
    select
        race_id,
        count(*) as starters,
        count(*) filter (where running_style = 'leader') as leaders,
        count(*) filter (where running_style = 'stalker') as stalkers,
        count(*) filter (where running_style = 'closer') as closers,
        count(*) filter (where running_style != 'unknown') as known,
        count(settle) as settle_known,
        sum(settle) as settle_sum,
        count(closing) as closing_known,
        sum(closing) as closing_sum,
    from styles
    group by race_id
),

placed as (
    select
        *,
        case
            when settle is not null
                then rank() over (partition by race_id order by settle nulls last)
        end as map_position,
        case
            when barrier is not null
                -- lint: accept frame-not-by-day: gates of one race, and styles as they were known on its morning
                then count(*) filter (running_style in ('leader', 'stalker')) over (
                    partition by race_id
                    order by barrier nulls last
                    groups between unbounded preceding and 1 preceding
                )
        end as forward_runners_inside,
    from styles
),

counted as (
    select
        placed.*,
        races.* exclude (race_id),
    from placed
    inner join races on placed.race_id = races.race_id
),

measured as (
    select
        *,
        (leaders + 0.5 * stalkers)::double / nullif(known, 0) as pressure,
        settle::double - (settle_sum - settle)::double / nullif(settle_known - 1, 0) as settle_gap,
        closing::double - (closing_sum - closing)::double / nullif(closing_known - 1, 0) as closing_gap,
    from counted
),

final as (
    select
        runner_id,
        race_id,
        race_date,

        map_position::usmallint as speed_map_position,
        forward_runners_inside::usmallint as forward_runners_inside,
        leaders::usmallint as leaders_in_field,
        stalkers::usmallint as stalkers_in_field,
        closers::usmallint as closers_in_field,
        (leaders - (running_style = 'leader')::integer)::usmallint as other_leaders_in_field,
        (known / starters)::float as known_styles_share,
        case when running_style != 'unknown' then running_style = 'leader' and leaders = 1 end as is_lone_leader,
        leaders = 1 as has_lone_leader,
        pressure::float as pace_pressure,
        settle_gap::float as settle_vs_field_avg,
        closing_gap::float as closing_vs_field_avg,
        -- Positive: comes from behind where many want the front, or leads where few do not.
        -- Plus 0 turns a minus zero into zero: they are equal, but not the same to whoever hashes rows.
        (settle_gap * (pressure - {{var "usual_pace_pressure"}}) + 0)::float as style_vs_pace,
    from measured
)

select * from final
order by runner_id

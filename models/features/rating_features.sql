{{!-- one row per starter: ratings of horse, jockey and trainer before the day of the race, alone and against the field --}}
with rated as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        runners.horse_key,
        runners.has_run,
        horse_elo.horse_elo,
        horse_elo.is_elo_default,
        horse_elo.elo_races_count,
        horse_elo.horse_elo_after,
        jockey_elo.jockey_elo,
        trainer_elo.trainer_elo,
        -- Decimals: a sum over the field is then the same in whatever order it is added up.
        horse_elo.horse_elo::decimal(18, 9) as horse_points,
        jockey_elo.jockey_elo::decimal(18, 9) as jockey_points,
        trainer_elo.trainer_elo::decimal(18, 9) as trainer_points,
        pow(10, (horse_elo.horse_elo - {{var "elo_first"}}) / {{var "elo_points_for_ten_to_one"}})::decimal(24, 9)
            as strength,
    from {{ref "runners"}} as runners
    positional join {{ref "horse_elo"}} as horse_elo
    positional join {{ref "jockey_elo"}} as jockey_elo
    positional join {{ref "trainer_elo"}} as trainer_elo
    where
        is_in_step(runners.runner_id, horse_elo.runner_id, 'horse_elo')
        and is_in_step(runners.runner_id, jockey_elo.runner_id, 'jockey_elo')
        and is_in_step(runners.runner_id, trainer_elo.runner_id, 'trainer_elo')
),

races as (
    select
        race_id,
        count(horse_points) as starters,
        sum(horse_points) as points,
        max(horse_elo) as best_elo,
        avg(jockey_points) as jockey_points,
        avg(trainer_points) as trainer_points,
        sum(strength) as strength,
    from rated
    group by race_id
),

met as (
    select
        rated.*,
        races.starters,
        races.points / nullif(races.starters, 0) as mean_elo,
        races.best_elo,
        rated.jockey_points::double - races.jockey_points as jockey_gap,
        rated.trainer_points::double - races.trainer_points as trainer_gap,
        rated.strength::double / races.strength::double as win_probability,
        ((races.points - rated.horse_points) / nullif(races.starters - 1, 0))::decimal(18, 9) as opponents_elo,
    from rated
    inner join races on rated.race_id = races.race_id
),

-- lint: accept current-row: read through previous_starts, which points to an earlier day
-- lint: accept frame-not-by-day: lag counts back from that day, to starts before it
starts as (
    select
        runner_id,
        max(horse_elo_after) over so_far as peak_elo,
        lag(horse_elo, 2) over (partition by horse_key order by runner_id) as elo_before_third_last,
        opponents_elo as last_opponents_elo,
        avg(opponents_elo) over latest_five as mean_opponents_elo_5,
    from met
    where has_run
    window
        so_far as (
            partition by horse_key
            order by runner_id
            rows between unbounded preceding and current row
        ),
        latest_five as (
            partition by horse_key
            order by runner_id
            rows between 4 preceding and current row
        )
),

final as (
    select
        met.runner_id,
        met.race_id,
        met.race_date,

        met.horse_elo::float as horse_elo,
        met.is_elo_default,
        met.elo_races_count::usmallint as elo_races_count,
        -- By the ratings as published: what ties there ties here. Ranked from the worst, for both columns.
        (met.starters - rank() over by_elo - count(*) over same_elo + 2)::usmallint as elo_rank_in_race,
        case when met.starters = 1 then 1 else (rank() over by_elo - 1) / (met.starters - 1) end::float
            as elo_percentile_in_race,
        met.mean_elo::float as field_avg_elo,
        (met.horse_elo - met.mean_elo)::float as elo_vs_field_avg,
        (met.horse_elo - met.best_elo)::float as elo_vs_field_best,
        met.win_probability::float as elo_win_probability,
        (met.horse_elo - starts.elo_before_third_last)::float as elo_trend_3,
        starts.peak_elo::float as elo_peak,
        (met.horse_elo - starts.peak_elo)::float as elo_vs_peak,
        starts.last_opponents_elo::float as last_opponents_elo,
        starts.mean_opponents_elo_5::float as avg_opponents_elo_5,
        (met.opponents_elo - starts.mean_opponents_elo_5)::float as opponents_elo_change,
        met.jockey_elo::float as jockey_elo,
        met.jockey_gap::float as jockey_elo_vs_field_avg,
        met.trainer_elo::float as trainer_elo,
        met.trainer_gap::float as trainer_elo_vs_field_avg,
    from met
    inner join {{ref "previous_starts"}} as previous_starts on met.runner_id = previous_starts.runner_id
    left join starts on previous_starts.horse_start = starts.runner_id
    window
        by_elo as (partition by met.race_id order by met.horse_elo::float),
        -- lint: accept current-row: the other ratings on the morning of this race, no outcome
        same_elo as (
            partition by met.race_id order by met.horse_elo::float groups between current row and current row
        )
)

select * from final
order by runner_id

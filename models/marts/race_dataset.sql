{{!-- one row per starter, races to come included: every feature of every family, then what came of it. Add a family here --}}
{{!-- Families have the same rows in the same order, so they are laid side by side: at 200,000 starters that took 1.1 s
      of CPU where hash joins took 5.8 s and held every family in memory. is_in_step stops the run when one is not. --}}
with final as (
    select
        runners.runner_id,
        runners.race_id,
        runners.race_date,
        race_facts.race_number,
        race_facts.track_name,
        race_facts.track_slug,
        race_facts.location,
        race_facts.track_direction,
        race_facts.track_category,
        race_facts.track_type,
        race_facts.race_distance,
        race_facts.distance_range,
        race_facts.race_class,
        race_facts.class_rating,
        race_facts.class_level_numeric,
        race_facts.is_maiden_race,
        race_facts.is_handicap_race,
        race_facts.age_restriction,
        race_facts.sex_restriction,
        race_facts.track_condition,
        race_facts.track_condition_numeric,
        race_facts.is_wet_track,
        race_facts.rail_out_metres,
        race_facts.is_rail_true,
        race_facts.race_prize_money,
        runners.horse_name,
        runners.horse_slug,
        runners.horse_slug || '-' || runners.location as horse_location_slug, {{!-- location_slugs --}}
        runners.horse_number,
        runners.barrier,
        runners.barrier_position,
        barrier.effective_barrier,
        runners.weight,
        runners.jockey,
        runners.jockey_slug,
        runners.jockey_slug || '-' || runners.location as jockey_location_slug, {{!-- location_slugs --}}
        runners.trainer,
        runners.trainer_slug,
        runners.trainer_slug || '-' || runners.location as trainer_location_slug, {{!-- location_slugs --}}
        runners.total_runners,

        career.total_races,
        career.wins,
        career.places,
        career.win_percentage,
        career.place_percentage,
        career.win_percentage_shrunk,
        career.place_percentage_shrunk,
        career.is_first_timer,
        career.never_placed_flag,
        career.experienced_horse_flag,
        career.low_sample_flag,
        career.feature_maturity_score,
        career.days_since_last_race,
        career.extreme_staleness_flag,
        career.runs_last_60_days,
        career.runs_last_90_days,
        career.has_recent_form,
        career.avg_days_between_runs,
        career.avg_beat_pct,
        career.consistency_score,

        form.last_position,
        form.last_margin,
        form.last_beat_pct,
        form.last_5_avg_position,
        form.last_5_best_position,
        form.last_5_win_rate,
        form.last_5_place_rate,
        form.last_10_win_rate,
        form.last_5_avg_beat_pct,
        form.last_5_avg_margin,
        form.last_5_beat_pct_slope,
        form.weighted_beat_pct,
        form.form_momentum,
        form.has_winning_form,
        form.form_recency_score,

        form_changes.weight_carried_avg,
        form_changes.weight_vs_avg,
        form_changes.weight_change,
        form_changes.distance_change,
        form_changes.field_size_change,
        form_changes.going_change,
        form_changes.is_jockey_change,
        form_changes.is_trainer_change,
        form_changes.is_surface_change,
        form_changes.is_track_change,

        spells.is_first_up,
        spells.is_second_up,
        spells.first_up_starts,
        spells.first_up_win_rate,
        spells.second_up_starts,
        spells.second_up_win_rate,

        rating_features.horse_elo,
        rating_features.is_elo_default,
        rating_features.elo_races_count,
        rating_features.elo_rank_in_race,
        rating_features.elo_percentile_in_race,
        rating_features.field_avg_elo,
        rating_features.elo_vs_field_avg,
        rating_features.elo_vs_field_best,
        rating_features.elo_win_probability,
        rating_features.elo_trend_3,
        rating_features.elo_peak,
        rating_features.elo_vs_peak,
        rating_features.last_opponents_elo,
        rating_features.avg_opponents_elo_5,
        rating_features.opponents_elo_change,
        rating_features.jockey_elo,
        rating_features.jockey_elo_vs_field_avg,
        rating_features.trainer_elo,
        rating_features.trainer_elo_vs_field_avg,

        jockey.jockey_total_rides,
        jockey.jockey_win_rate,
        jockey.jockey_place_rate,
        jockey.jockey_win_rate_shrunk,
        jockey.jockey_place_rate_shrunk,
        jockey.jockey_rides_30d,
        jockey.jockey_win_rate_30d,
        jockey.jockey_rides_90d,
        jockey.jockey_win_rate_90d,
        jockey.jockey_rides_365d,
        jockey.jockey_win_rate_365d,
        jockey.jockey_avg_position_20,
        jockey.jockey_avg_position_50,
        jockey.jockey_last_20_win_rate,
        jockey.jockey_last_50_win_rate,
        jockey.jockey_last_100_win_rate,
        jockey.jockey_last_50_avg_beat_pct,
        jockey.jockey_actual_over_expected,
        jockey.jockey_actual_over_expected_shrunk,
        jockey.jockey_days_since_last_ride,
        jockey.new_jockey_flag,

        jockey_conditions.jockey_track_rides,
        jockey_conditions.jockey_track_win_rate,
        jockey_conditions.jockey_track_win_rate_shrunk,
        jockey_conditions.jockey_distance_rides,
        jockey_conditions.jockey_distance_win_rate,
        jockey_conditions.jockey_distance_win_rate_shrunk,
        jockey_conditions.jockey_wet_track_rides,
        jockey_conditions.jockey_wet_track_win_rate,
        jockey_conditions.jockey_wet_track_win_rate_shrunk,
        jockey_conditions.jockey_first_up_rides,
        jockey_conditions.jockey_first_up_win_rate,
        jockey_conditions.jockey_first_up_win_rate_shrunk,

        trainer.trainer_total_runners,
        trainer.trainer_win_rate,
        trainer.trainer_place_rate,
        trainer.trainer_win_rate_shrunk,
        trainer.trainer_place_rate_shrunk,
        trainer.trainer_runners_30d,
        trainer.trainer_win_rate_30d,
        trainer.trainer_runners_90d,
        trainer.trainer_win_rate_90d,
        trainer.trainer_runners_365d,
        trainer.trainer_win_rate_365d,
        trainer.trainer_avg_position_50,
        trainer.trainer_avg_position_100,
        trainer.trainer_last_20_win_rate,
        trainer.trainer_last_50_win_rate,
        trainer.trainer_last_100_win_rate,
        trainer.trainer_last_50_avg_beat_pct,
        trainer.trainer_actual_over_expected,
        trainer.trainer_actual_over_expected_shrunk,
        trainer.trainer_days_since_last_runner,
        trainer.new_trainer_flag,

        trainer_conditions.trainer_track_runners,
        trainer_conditions.trainer_track_win_rate,
        trainer_conditions.trainer_track_win_rate_shrunk,
        trainer_conditions.trainer_distance_runners,
        trainer_conditions.trainer_distance_win_rate,
        trainer_conditions.trainer_distance_win_rate_shrunk,
        trainer_conditions.trainer_wet_track_runners,
        trainer_conditions.trainer_wet_track_win_rate,
        trainer_conditions.trainer_wet_track_win_rate_shrunk,
        trainer_conditions.trainer_first_up_runners,
        trainer_conditions.trainer_first_up_win_rate,
        trainer_conditions.trainer_first_up_win_rate_shrunk,

        connections.jockey_horse_connection_races,
        connections.jockey_horse_connection_wins,
        connections.jockey_horse_connection_places,
        connections.jockey_horse_connection_win_rate,
        connections.jockey_horse_connection_place_rate,
        connections.jockey_horse_connection_win_rate_shrunk,
        connections.jockey_horse_days_since_together,
        connections.jockey_trainer_connection_races,
        connections.jockey_trainer_connection_wins,
        connections.jockey_trainer_connection_places,
        connections.jockey_trainer_connection_win_rate,
        connections.jockey_trainer_connection_place_rate,
        connections.jockey_trainer_connection_win_rate_shrunk,
        connections.jockey_trainer_days_since_together,
        connections.trainer_horse_connection_races,
        connections.trainer_horse_connection_win_rate,
        connections.strong_jockey_connection,
        connections.strong_trainer_connection,
        connections.total_connection_score,

        running_style.running_style,
        running_style.known_settle_runs,
        running_style.expected_settle_pct,
        running_style.last_settle_pct,
        running_style.avg_early_position_800m,
        running_style.avg_mid_position_400m,
        running_style.avg_pos_200m,
        running_style.avg_late_surge,
        running_style.avg_improvement_from_400m,
        running_style.early_speed_score,
        running_style.closing_ability_score,
        running_style.sustained_run_score,
        running_style.early_speed_pct,
        running_style.strong_finish_pct,
        running_style.fader_rate,
        running_style.closer_rate,
        running_style.front_rate,
        running_style.pos_volatility_800,
        running_style.finishing_kick_consistency,

        sectional_form.timed_runs,
        sectional_form.avg_sectional_400m,
        sectional_form.avg_sectional_800m,
        sectional_form.avg_cumulative_800m,
        sectional_form.sectional_time_consistency,
        sectional_form.early_vs_mid_pace_change,
        sectional_form.historical_speed_vs_field,
        sectional_form.last_speed_vs_field,
        sectional_form.avg_last_800m_vs_race,
        sectional_form.avg_last_600m_vs_race,
        sectional_form.avg_last_400m_vs_race,
        sectional_form.avg_last_200m_vs_race,
        sectional_form.best_last_400m_vs_race,
        sectional_form.latest_last_400m_vs_race,
        sectional_form.avg_finishing_speed_percentage,
        sectional_form.last_finishing_speed_percentage,

        speed.speed_figures_count,
        speed.avg_speed_figure,
        speed.best_speed_figure,
        speed.last_speed_figure,
        speed.avg_speed_figure_3,
        speed.best_speed_figure_5,
        speed.speed_figure_slope_5,
        speed.speed_figure_spread,
        speed.speed_figures_at_distance_count,
        speed.avg_speed_figure_at_distance,
        speed.best_speed_figure_at_distance,

        class.prev_class_rating,
        class.class_change,
        class.class_drop,
        class.class_rise,
        class.is_stepping_up,
        class.is_stepping_down,
        class.best_class_won,
        class.class_vs_best_won,
        class.best_class_placed,
        class.class_vs_best_placed,
        class.last_5_avg_class_rating,
        class.class_vs_last_5_avg,

        distance.races_at_distance,
        distance.distance_win_rate,
        distance.distance_place_rate,
        distance.has_won_at_distance,
        distance.distance_suited_score,
        distance.optimal_distance_min,
        distance.optimal_distance_max,
        distance.is_within_optimal_distance,
        distance.distance_vs_avg,

        track.races_at_track,
        track.track_win_rate,
        track.track_place_rate,
        track.has_won_at_track,
        track.races_at_track_distance,
        track.has_won_at_track_distance,
        track.races_in_track_category,
        track.track_category_win_rate,
        track.metro_runs_count,
        track.metro_wins_count,
        track.metro_win_rate,
        track.races_in_direction,
        track.direction_place_rate,
        track.races_on_surface,
        track.surface_win_rate,
        track.surface_place_rate,

        going.horse_wet_track_runs,
        going.horse_wet_track_win_rate,
        going.horse_dry_track_runs,
        going.horse_dry_track_win_rate,
        going.wet_dry_preference_score,
        going.going_suited_score,

        barrier.barrier_advantage_at_track,
        barrier.barrier_vs_run_style,
        barrier.horse_barrier_group_starts,
        barrier.horse_barrier_group_win_rate,
        barrier.horse_barrier_group_place_rate,

        pace.speed_map_position,
        pace.forward_runners_inside,
        pace.leaders_in_field,
        pace.stalkers_in_field,
        pace.closers_in_field,
        pace.other_leaders_in_field,
        pace.known_styles_share,
        pace.is_lone_leader,
        pace.has_lone_leader,
        pace.pace_pressure,
        pace.settle_vs_field_avg,
        pace.closing_vs_field_avg,
        pace.style_vs_pace,

        field.win_pct_vs_field_avg,
        field.place_pct_vs_field_avg,
        field.experience_vs_field_avg,
        field.form_vs_field_avg,
        field.momentum_vs_field_avg,
        field.days_off_vs_field_avg,
        field.weight_vs_field_avg,
        field.class_vs_field_avg,
        field.best_class_won_vs_field_avg,
        field.speed_vs_field_avg,
        field.speed_vs_field_best,
        field.best_speed_vs_field_avg,
        field.late_speed_vs_field_avg,
        field.jockey_vs_field_avg,
        field.trainer_vs_field_avg,
        field.field_first_timers_share,
        field.field_avg_races,
        field.field_avg_speed_figure,

        {{> shrunk_rates}}

        cross_region.is_cross_region_horse,
        cross_region.regions_before,
        cross_region.is_first_start_in_region,
        cross_region.region_starts,
        cross_region.region_wins,
        cross_region.other_region_starts,
        cross_region.other_region_win_rate,

        market_history.past_priced_runs,
        market_history.past_odds_last,
        market_history.past_odds_typical_5,
        market_history.past_market_probability_last,
        market_history.past_market_probability_avg_5,
        market_history.past_market_probability_best,
        market_history.past_odds_rank_last,
        market_history.past_favorite_rate,
        market_history.past_win_surplus_vs_market,
        market_history.past_finish_vs_odds_rank_5,

        {{> interactions}}

        market.win_odds,
        market.odds_implied_probability,
        market.market_probability,
        market.overround,
        market.odds_rank_in_race,
        market.odds_percentile_in_race,
        market.is_favorite,
        market.is_longshot,
        market.log_win_odds,
        market.odds_to_favorite_ratio,

        {{> market_value}}

        -- What came of it: the training dataset alone shows it.
        runners.has_run,
        runners.position as final_position,
        runners.finish_status,
        runners.margin,
        runners.raw_time_seconds,
        runners.is_win,
        runners.is_place,
        runners.beat_pct,
    from {{ref "runners"}} as runners
    positional join {{ref "career"}} as career
    positional join {{ref "form"}} as form
    positional join {{ref "form_changes"}} as form_changes
    positional join {{ref "spells"}} as spells
    positional join {{ref "rating_features"}} as rating_features
    positional join {{ref "jockey"}} as jockey
    positional join {{ref "jockey_conditions"}} as jockey_conditions
    positional join {{ref "trainer"}} as trainer
    positional join {{ref "trainer_conditions"}} as trainer_conditions
    positional join {{ref "connections"}} as connections
    positional join {{ref "running_style"}} as running_style
    positional join {{ref "sectional_form"}} as sectional_form
    positional join {{ref "speed"}} as speed
    positional join {{ref "class"}} as class
    positional join {{ref "distance"}} as distance
    positional join {{ref "track"}} as track
    positional join {{ref "going"}} as going
    positional join {{ref "barrier"}} as barrier
    positional join {{ref "pace"}} as pace
    positional join {{ref "field"}} as field
    positional join {{ref "cross_region"}} as cross_region
    positional join {{ref "market_history"}} as market_history
    positional join {{ref "market"}} as market
    inner join {{ref "race_facts"}} as race_facts on runners.race_id = race_facts.race_id
    inner join {{ref "location_rates"}} as location_rates
        on runners.location = location_rates.location
        and runners.race_date = location_rates.race_date
    where
        is_in_step(runners.runner_id, career.runner_id, 'career')
        and is_in_step(runners.runner_id, form.runner_id, 'form')
        and is_in_step(runners.runner_id, form_changes.runner_id, 'form_changes')
        and is_in_step(runners.runner_id, spells.runner_id, 'spells')
        and is_in_step(runners.runner_id, rating_features.runner_id, 'rating_features')
        and is_in_step(runners.runner_id, jockey.runner_id, 'jockey')
        and is_in_step(runners.runner_id, jockey_conditions.runner_id, 'jockey_conditions')
        and is_in_step(runners.runner_id, trainer.runner_id, 'trainer')
        and is_in_step(runners.runner_id, trainer_conditions.runner_id, 'trainer_conditions')
        and is_in_step(runners.runner_id, connections.runner_id, 'connections')
        and is_in_step(runners.runner_id, running_style.runner_id, 'running_style')
        and is_in_step(runners.runner_id, sectional_form.runner_id, 'sectional_form')
        and is_in_step(runners.runner_id, speed.runner_id, 'speed')
        and is_in_step(runners.runner_id, class.runner_id, 'class')
        and is_in_step(runners.runner_id, distance.runner_id, 'distance')
        and is_in_step(runners.runner_id, track.runner_id, 'track')
        and is_in_step(runners.runner_id, going.runner_id, 'going')
        and is_in_step(runners.runner_id, barrier.runner_id, 'barrier')
        and is_in_step(runners.runner_id, pace.runner_id, 'pace')
        and is_in_step(runners.runner_id, field.runner_id, 'field')
        and is_in_step(runners.runner_id, cross_region.runner_id, 'cross_region')
        and is_in_step(runners.runner_id, market_history.runner_id, 'market_history')
        and is_in_step(runners.runner_id, market.runner_id, 'market')
)

select * from final

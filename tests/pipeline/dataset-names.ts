// Names that programs of users read: written down here, not taken from the models.
export const listedNames = {
    "keys and race": `
        race_id race_date race_number track_name race_distance race_class track_condition horse_name horse_slug
        horse_number barrier weight jockey jockey_slug trainer trainer_slug location horse_location_slug
        jockey_location_slug trainer_location_slug track_direction track_category track_type is_maiden_race
        is_handicap_race age_restriction sex_restriction distance_range total_runners barrier_position
        rail_out_metres is_rail_true effective_barrier track_condition_numeric is_wet_track`,
    "career and form": `
        total_races wins places win_percentage place_percentage is_first_timer never_placed_flag
        days_since_last_race last_5_avg_position last_5_win_rate last_5_place_rate form_momentum
        runs_last_60_days runs_last_90_days form_recency_score consistency_score feature_maturity_score
        has_recent_form has_winning_form avg_days_between_runs experienced_horse_flag low_sample_flag
        extreme_staleness_flag is_first_up is_second_up last_position last_beat_pct last_5_avg_beat_pct
        weighted_beat_pct last_5_beat_pct_slope weight_carried_avg weight_vs_avg weight_change is_jockey_change
        is_trainer_change distance_change is_surface_change`,
    ratings: `
        horse_elo is_elo_default elo_races_count elo_percentile_in_race elo_vs_field_avg elo_vs_field_best
        elo_trend_3 elo_peak avg_opponents_elo_5 jockey_elo trainer_elo elo_win_probability`,
    "jockey and trainer": `
        jockey_total_rides jockey_win_rate jockey_place_rate jockey_win_rate_30d jockey_win_rate_90d
        jockey_win_rate_365d jockey_avg_position_20 jockey_avg_position_50 jockey_last_20_win_rate
        jockey_last_50_win_rate jockey_last_100_win_rate jockey_distance_win_rate jockey_wet_track_win_rate
        jockey_first_up_win_rate jockey_actual_over_expected jockey_win_rate_shrunk jockey_place_rate_shrunk
        trainer_total_runners trainer_win_rate trainer_place_rate trainer_win_rate_30d trainer_win_rate_90d
        trainer_win_rate_365d trainer_avg_position_50 trainer_avg_position_100 trainer_last_20_win_rate
        trainer_last_50_win_rate trainer_last_100_win_rate trainer_distance_win_rate
        trainer_wet_track_win_rate trainer_first_up_win_rate trainer_actual_over_expected
        trainer_win_rate_shrunk trainer_place_rate_shrunk new_jockey_flag new_trainer_flag
        jockey_track_win_rate trainer_track_win_rate`,
    connections: `
        jockey_horse_connection_races jockey_horse_connection_wins jockey_horse_connection_win_rate
        jockey_trainer_connection_races jockey_trainer_connection_wins jockey_trainer_connection_win_rate
        strong_jockey_connection strong_trainer_connection total_connection_score
        jockey_horse_days_since_together jockey_trainer_days_since_together`,
    "running style and sectionals": `
        running_style avg_early_position_800m avg_mid_position_400m avg_pos_200m closing_ability_score
        early_speed_score sustained_run_score early_speed_pct strong_finish_pct pos_volatility_800
        finishing_kick_consistency fader_rate closer_rate front_rate avg_improvement_from_400m
        avg_sectional_400m avg_sectional_800m avg_cumulative_800m sectional_time_consistency
        early_vs_mid_pace_change historical_speed_vs_field avg_last_800m_vs_race avg_last_600m_vs_race
        avg_last_400m_vs_race avg_last_200m_vs_race avg_finishing_speed_percentage speed_map_position
        leaders_in_field is_lone_leader pace_pressure style_vs_pace`,
    speed: "avg_speed_figure best_speed_figure last_speed_figure avg_speed_figure_at_distance",
    class: `
        class_rating prev_class_rating class_change class_drop class_rise class_level_numeric is_stepping_up
        is_stepping_down best_class_won class_vs_best_won`,
    "distance, track, going": `
        races_at_distance distance_win_rate distance_suited_score optimal_distance_min optimal_distance_max
        races_at_track track_win_rate track_place_rate has_won_at_track has_won_at_distance
        has_won_at_track_distance track_category_win_rate metro_wins_count metro_win_rate
        horse_wet_track_runs horse_dry_track_runs horse_wet_track_win_rate horse_dry_track_win_rate
        wet_dry_preference_score`,
    barrier: `
        barrier_advantage_at_track horse_barrier_group_starts horse_barrier_group_win_rate
        barrier_vs_run_style`,
    field: `
        win_pct_vs_field_avg experience_vs_field_avg speed_vs_field_avg weight_vs_field_avg
        jockey_vs_field_avg trainer_vs_field_avg class_vs_field_avg`,
    market: `
        win_odds odds_implied_probability market_probability odds_rank_in_race odds_percentile_in_race
        is_favorite is_longshot overround elo_vs_odds_gap form_vs_odds_gap improving_longshot
        class_drop_longshot connection_longshot past_favorite_rate past_odds_last`,
    "cross-region": `
        is_cross_region_horse regions_before is_first_start_in_region region_starts region_wins`,
    interactions: `
        elo_x_jockey_win_rate elo_x_trainer_win_rate weight_x_elo barrier_x_total_runners
        barrier_x_distance form_x_freshness track_wr_x_distance_wr running_style_x_barrier
        running_style_x_distance_bucket`,
};
export const labelNames =
    "final_position finish_status margin raw_time_seconds is_win is_place beat_pct".split(" ");

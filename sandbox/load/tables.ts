/** Steps of sectional_times: metres from the start. */
export const checkpoints: readonly number[] = Array.from({ length: 15 }, (_, index) => (index + 1) * 200);

export interface SourceTable {
    readonly name: "races" | "race_results" | "sectional_times";
    /** Name and type, in order. */
    readonly columns: readonly (readonly [name: string, type: string])[];
    /** Set after the rows are in: checking row by row costs more than the rows themselves. */
    readonly constraints: readonly string[];
    readonly indexes: readonly (readonly string[])[];
}

/** The tables that a rebuild reads, as a user's own database has them. */
export const sourceTables: readonly SourceTable[] = [
    {
        name: "races",
        columns: [
            ["race_id", "bigint not null"],
            ["race_date", "date not null"],
            ["race_number", "smallint"],
            ["track_name", "text not null"],
            ["race_distance", "integer"],
            ["race_class", "text"],
            ["surface", "text"],
            ["track_condition", "text"],
            ["track_weather", "text"],
            ["track_info", "text"],
            ["prize_money", "numeric"],
            ["updated_at", "timestamptz"],
        ],
        constraints: ["add primary key (race_id)"],
        indexes: [["race_date"]],
    },
    {
        name: "race_results",
        columns: [
            ["id", "bigint not null"],
            ["race_id", "bigint not null"],
            ["horse_name", "text"],
            ["horse_slug", "text"],
            ["horse_number", "text"],
            ["barrier", "smallint"],
            ["original_weight", "numeric(4,1)"],
            ["position", "smallint"],
            ["finish_status", "text"],
            ["margin", "numeric"],
            ["jockey", "text"],
            ["jockey_slug", "text"],
            ["trainer", "text"],
            ["trainer_slug", "text"],
            ["win_odds", "numeric"],
            ["prize_money", "numeric"],
            ["position_800m", "smallint"],
            ["position_400m", "smallint"],
            ["updated_at", "timestamptz"],
        ],
        constraints: [
            "add primary key (id)",
            "add constraint race_results_race_id_fkey foreign key (race_id) references races (race_id)",
        ],
        indexes: [["race_id"]],
    },
    {
        name: "sectional_times",
        columns: [
            ["race_id", "bigint"],
            ["horse_number", "text"],
            ["horse_name", "text"],
            ...checkpoints.map((metres) => [`position_${metres}m`, "smallint"] as const),
            ...checkpoints.map((metres) => [`cumulative_${metres}m`, "interval"] as const),
            ...checkpoints.map((metres) => [`sectional_${metres}m`, "interval"] as const),
            ["finish_time", "interval"],
            ["finish_position", "smallint"],
        ],
        constraints: [],
        indexes: [["race_id"]],
    },
];

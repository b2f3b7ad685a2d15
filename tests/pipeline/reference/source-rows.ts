import type { ColumnChunk } from "../../../runner/model.ts";
import type { Warehouse } from "../../../runner/warehouse/types.ts";

export type Value = string | number | boolean | null;

export interface RaceRow {
    readonly raceId: number;
    /** Days since 1970-01-01. */
    readonly day: number;
    readonly raceNumber: number | null;
    readonly metres: number | null;
    readonly raceClass: string | null;
    readonly trackCondition: string | null;
}

export interface ResultRow {
    readonly id: number;
    readonly raceId: number;
    readonly horseSlug: string;
    readonly horseName: string | null;
    readonly horseNumber: string | null;
    readonly barrier: number | null;
    readonly weight: number | null;
    readonly position: number | null;
    readonly finishStatus: string | null;
    readonly margin: number | null;
    readonly jockeySlug: string | null;
    readonly trainerSlug: string | null;
    readonly winOdds: number | null;
    readonly position800: number | null;
    readonly position400: number | null;
    /** Microseconds since 1970-01-01. */
    readonly updatedAt: number | null;
}

export interface SectionalRow {
    readonly raceId: number;
    readonly horseNumber: string | null;
    readonly horseName: string | null;
    /** Ranks 200, 400, ... 3000 m from the start. */
    readonly ranks: readonly (number | null)[];
    readonly finishSeconds: number | null;
}

/** What the seeds of tracks decide for a race: taken from the pipeline, not checked here. */
export interface Place {
    readonly trackSlug: string;
    readonly location: string;
    readonly surface: string | null;
    /** Of texts that the reference has no rule of its own for. */
    readonly classRating: number | null;
    readonly condition: number | null;
}

export interface SourceRows {
    readonly races: readonly RaceRow[];
    readonly results: readonly ResultRow[];
    readonly sectionals: readonly SectionalRow[];
    /** By race_id. */
    readonly places: ReadonlyMap<number, Place>;
}

/** The three source tables as the warehouse holds them, and the places. */
export async function readSourceRows(warehouse: Warehouse): Promise<SourceRows> {
    const races = await readRows(warehouse, "select * from sources.races", (row) => ({
        raceId: number(row.race_id)!,
        day: number(row.race_date)!,
        raceNumber: number(row.race_number),
        metres: number(row.race_distance),
        raceClass: text(row.race_class),
        trackCondition: text(row.track_condition),
    }));
    const results = await readRows(warehouse, "select * from sources.race_results", (row) => ({
        id: number(row.id)!,
        raceId: number(row.race_id)!,
        horseSlug: text(row.horse_slug) ?? "",
        horseName: text(row.horse_name),
        horseNumber: text(row.horse_number),
        barrier: number(row.barrier),
        weight: number(row.original_weight),
        position: number(row.position),
        finishStatus: text(row.finish_status),
        margin: number(row.margin),
        jockeySlug: text(row.jockey_slug),
        trainerSlug: text(row.trainer_slug),
        winOdds: number(row.win_odds),
        position800: number(row.position_800m),
        position400: number(row.position_400m),
        updatedAt: number(row.updated_at),
    }));
    const checkpoints = Array.from({ length: 15 }, (_, index) => `position_${(index + 1) * 200}m`);
    const sectionals = await readRows(
        warehouse,
        `select race_id, horse_number, horse_name, finish_time, ${checkpoints.join(", ")} from sources.sectional_times`,
        (row) => ({
            raceId: number(row.race_id)!,
            horseNumber: text(row.horse_number),
            horseName: text(row.horse_name),
            ranks: checkpoints.map((name) => number(row[name])),
            finishSeconds: seconds(text(row.finish_time)),
        }),
    );
    const places = await readRows(
        warehouse,
        "select race_id, track_slug, location, track_type, class_rating, track_condition_numeric from main.race_facts",
        (row) =>
            [
                number(row.race_id)!,
                {
                    trackSlug: text(row.track_slug)!,
                    location: text(row.location)!,
                    surface: text(row.track_type),
                    classRating: number(row.class_rating),
                    condition: number(row.track_condition_numeric),
                },
            ] as const,
    );
    return { races, results, sectionals, places: new Map(places) };
}

/** Each row of a query, by column: numbers, text, flags; dates as days, intervals as text. */
export async function readRows<Row>(
    warehouse: Warehouse,
    query: string,
    map: (row: Readonly<Record<string, Value>>) => Row,
): Promise<readonly Row[]> {
    const types = new Map((await warehouse.describe(query)).map(({ name, type }) => [name, type]));
    const rows: Row[] = [];
    for await (const chunk of warehouse.read(query)) {
        for (let index = 0; index < chunk.rowCount; index++) rows.push(map(rowOf(chunk, index, types)));
    }
    return rows;
}

function rowOf(
    chunk: ColumnChunk,
    index: number,
    types: ReadonlyMap<string, string>,
): Readonly<Record<string, Value>> {
    const row: Record<string, Value> = {};
    for (const [name, { values, valid }] of Object.entries(chunk.columns)) {
        const value = values[index] as string | number | bigint | null;
        if (value === null || valid?.[index] === 0) row[name] = null;
        else if (types.get(name) === "BOOLEAN") row[name] = value === 1;
        else row[name] = typeof value === "bigint" ? Number(value) : value;
    }
    return row;
}

function number(value: Value | undefined): number | null {
    return value === null || value === undefined ? null : Number(value);
}

function text(value: Value | undefined): string | null {
    const trimmed = value === null || value === undefined ? "" : String(value).trim();
    return trimmed === "" ? null : trimmed;
}

/** `00:01:23.92` */
function seconds(interval: string | null): number | null {
    if (interval === null) return null;
    const parts = interval.split(":").map(Number);
    return parts.length === 3 ? parts[0]! * 3600 + parts[1]! * 60 + parts[2]! : Number.NaN;
}

import { marketColumns, percentile } from "./field.ts";
import { count, Histories, personColumns, winRate } from "./histories.ts";
import { careerColumns, classColumns, formColumns, styleColumns, suitabilityColumns } from "./horse.ts";
import { type HorseRatings, horseRatings, type RatingSettings } from "./ratings.ts";
import { type ShrinkageSettings, shrinkage } from "./shrinkage.ts";
import type { Value } from "./source-rows.ts";
import { groupBy, type Starter } from "./starters.ts";

export type Columns = Readonly<Record<string, Value>>;

export interface ExpectedRow {
    readonly starter: Starter;
    /** Columns by family: one object of all hundred is slow to make. */
    readonly features: readonly Columns[];
    /** Only of a race that has been run. */
    readonly labels: Columns;
}

/** Every starter with every column that dataset.md defines exactly, each from the starts of earlier days. */
export function expectedRows(
    starters: readonly Starter[],
    settings: { readonly rating: RatingSettings; readonly shrinkage: ShrinkageSettings },
): { readonly rows: readonly ExpectedRow[]; readonly ratings: HorseRatings } {
    const horses = new Histories(starters, ({ horse }) => horse);
    const slugs = new Histories(starters, ({ horseSlug }) => horseSlug);
    const jockeys = new Histories(starters, ({ jockey }) => jockey);
    const trainers = new Histories(starters, ({ trainer }) => trainer);
    const rides = new Histories(starters, withHorse);
    const bookings = new Histories(starters, withTrainer);
    const ratings = horseRatings(starters, settings.rating);
    const shrink = shrinkage(starters, settings.shrinkage);
    const jockeyColumns = onceADay((jockey, day) =>
        personColumns(jockeys.before(jockey, day), day, {
            person: "jockey",
            total: "jockey_total_rides",
            latest: [20, 50],
        }),
    );
    const trainerColumns = onceADay((trainer, day) =>
        personColumns(trainers.before(trainer, day), day, {
            person: "trainer",
            total: "trainer_total_runners",
            latest: [50, 100],
        }),
    );
    const fields = groupBy(starters, ({ race }) => race);
    const rows = starters.map((starter) => {
        const { day } = starter;
        const field = fields.get(starter.race)!;
        const starts = horses.before(starter.horse, day);
        const elsewhere = slugs
            .before(starter.horseSlug, day)
            .filter(({ place }) => place.location !== starter.place.location);
        // Ties as the dataset's precision has them.
        const elo = (other: Starter) => Math.fround(ratings.before.get(other)!.rating);
        const rank = 1 + count(field, (other) => elo(other) > elo(starter));
        const features = [
            cardColumns(starter),
            careerColumns(starts, day),
            formColumns(starts),
            suitabilityColumns(starts, starter),
            styleColumns(starts),
            classColumns(starts, starter),
            jockeyColumns(starter.jockey, day),
            trainerColumns(starter.trainer, day),
            pairColumns(rides.before(withHorse(starter), day), "jockey_horse"),
            pairColumns(bookings.before(withTrainer(starter), day), "jockey_trainer"),
            marketColumns(starter, field),
            shrink(starter, {
                horse: starts,
                jockey: jockeys.before(starter.jockey, day),
                trainer: trainers.before(starter.trainer, day),
                jockeyHorse: rides.before(withHorse(starter), day),
                jockeyTrainer: bookings.before(withTrainer(starter), day),
            }),
            {
                is_cross_region_horse: elsewhere.length > 0,
                regions_before:
                    new Set(elsewhere.map(({ place }) => place.location)).size + (starts.length > 0 ? 1 : 0),
                horse_elo: ratings.before.get(starter)!.rating,
                elo_races_count: ratings.before.get(starter)!.races,
                is_elo_default: ratings.before.get(starter)!.races === 0,
                elo_rank_in_race: rank,
                elo_percentile_in_race: percentile(
                    count(field, (other) => elo(other) < elo(starter)),
                    field.length,
                ),
            },
        ];
        return { starter, features, labels: labelsOf(starter) };
    });
    return { rows, ratings };
}

/** The history of a day is one for all rides of the day. */
function onceADay(
    compute: (key: string | null, day: number) => Columns,
): (key: string | null, day: number) => Columns {
    const computed = new Map<string, Columns>();
    return (key, day) => {
        const name = `${key} ${day}`;
        const known = computed.get(name) ?? compute(key, day);
        computed.set(name, known);
        return known;
    };
}

export function withHorse({ jockey, horse }: Starter): string | null {
    return jockey && `${jockey} ${horse}`;
}

export function withTrainer({ jockey, trainer }: Starter): string | null {
    return jockey && trainer && `${jockey} ${trainer}`;
}

function cardColumns({ race, declared, ...starter }: Starter): Columns {
    const { value } = starter.condition;
    return {
        race_number: race.raceNumber,
        race_distance: race.metres,
        horse_number: declared.horseNumber,
        barrier: declared.barrier,
        weight: declared.weight,
        jockey_slug: declared.jockeySlug,
        trainer_slug: declared.trainerSlug,
        horse_location_slug: starter.horse,
        jockey_location_slug: starter.jockey,
        trainer_location_slug: starter.trainer,
        total_runners: starter.totalRunners,
        distance_range: starter.distanceRange,
        barrier_position: starter.barrierPosition,
        track_condition_numeric: value,
        is_wet_track: value === null ? null : value >= 5,
    };
}

function pairColumns(starts: readonly Starter[], pair: string): Columns {
    const wins = count(starts, ({ isWin }) => isWin);
    const isRider = pair === "jockey_horse";
    // In whole numbers: more than one in five, more than three in twenty.
    const isStrong = isRider
        ? starts.length >= 3 && 5 * wins > starts.length
        : starts.length >= 5 && 20 * wins > 3 * starts.length;
    return {
        [`${pair}_connection_races`]: starts.length,
        [`${pair}_connection_wins`]: wins,
        [`${pair}_connection_win_rate`]: winRate(starts),
        [isRider ? "strong_jockey_connection" : "strong_trainer_connection"]: isStrong,
    };
}

function labelsOf(starter: Starter): Columns {
    const { position, totalRunners } = starter;
    // A source that misses runners has places beyond its field.
    const beaten = Math.max(0, totalRunners - (position ?? totalRunners));
    return {
        final_position: position,
        finish_status: starter.declared.finishStatus,
        margin: starter.margin,
        raw_time_seconds: starter.seconds,
        is_win: starter.isWin,
        is_place: starter.isPlace,
        beat_pct: totalRunners < 2 ? null : beaten / (totalRunners - 1),
    };
}

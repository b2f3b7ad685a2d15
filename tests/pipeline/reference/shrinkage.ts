import type { Columns } from "./expected-rows.ts";
import { count, Histories, within } from "./histories.ts";
import type { Starter } from "./starters.ts";

/** How many starts at the prior a rate is worth before the first one. */
export interface ShrinkageSettings {
    readonly horseWins: number;
    readonly horsePlaces: number;
    readonly jockey: number;
    readonly trainer: number;
    readonly jockeyHorse: number;
    readonly jockeyTrainer: number;
    readonly jockeyHorsePlaces: number;
    readonly jockeyTrainerPlaces: number;
    readonly conditions: number;
    readonly jockeyRecent: number;
    readonly trainerRecent: number;
}

interface EarlierStarts {
    readonly horse: readonly Starter[];
    readonly jockey: readonly Starter[];
    readonly trainer: readonly Starter[];
    readonly jockeyHorse: readonly Starter[];
    readonly jockeyTrainer: readonly Starter[];
}

/** Rates of small samples, drawn towards what any starter of the location did on the days before. */
export function shrinkage(
    starters: readonly Starter[],
    settings: ShrinkageSettings,
): (starter: Starter, earlier: EarlierStarts) => Columns {
    const locations = new Histories(starters, ({ place }) => place.location);
    const priors = new Map<string, { readonly win: number; readonly place: number } | null>();
    const priorOf = ({ place, day }: Starter) => {
        const key = `${place.location} ${day}`;
        const known = priors.get(key);
        if (known !== undefined) return known;
        const starts = locations.before(place.location, day);
        const prior =
            starts.length === 0
                ? null
                : {
                      win: count(starts, ({ isWin }) => isWin) / starts.length,
                      place: count(starts, ({ isPlace }) => isPlace) / starts.length,
                  };
        priors.set(key, prior);
        return prior;
    };
    return (starter, { horse, jockey, trainer, jockeyHorse, jockeyTrainer }) => {
        const prior = priorOf(starter);
        const wins = (starts: readonly Starter[], strength: number) =>
            starts.length === 0
                ? null
                : (count(starts, ({ isWin }) => isWin) + strength * prior!.win) / (starts.length + strength);
        const places = (starts: readonly Starter[], strength: number) =>
            starts.length === 0
                ? null
                : (count(starts, ({ isPlace }) => isPlace) + strength * prior!.place) /
                  (starts.length + strength);
        const drawn = (
            starts: readonly Starter[],
            isSuccess: (start: Starter) => boolean,
            towards: number | null,
            strength: number,
        ) =>
            starts.length === 0
                ? null
                : (count(starts, isSuccess) + strength * towards!) / (starts.length + strength);
        const ownWins = wins(horse, settings.horseWins);
        const ownPlaces = places(horse, settings.horsePlaces);
        const atTrack = horse.filter(({ place }) => place.trackSlug === starter.place.trackSlug);
        const atDistance = horse.filter(
            ({ distanceRange }) => distanceRange !== null && distanceRange === starter.distanceRange,
        );
        const recent = (starts: readonly Starter[], days: number, towards: number | null, strength: number) =>
            drawn(within(starts, starter.day, days), isWinner, towards, strength);
        const jockeyWins = wins(jockey, settings.jockey);
        const trainerWins = wins(trainer, settings.trainer);
        const percent = (rate: number | null) => (rate === null ? null : 100 * rate);
        return {
            win_percentage_shrunk: percent(ownWins),
            place_percentage_shrunk: percent(ownPlaces),
            track_win_rate_shrunk: drawn(atTrack, isWinner, ownWins, settings.conditions),
            track_place_rate_shrunk: drawn(atTrack, isPlaced, ownPlaces, settings.conditions),
            distance_win_rate_shrunk: drawn(atDistance, isWinner, ownWins, settings.conditions),
            distance_place_rate_shrunk: drawn(atDistance, isPlaced, ownPlaces, settings.conditions),
            jockey_win_rate_30d_shrunk: recent(jockey, 30, jockeyWins, settings.jockeyRecent),
            jockey_win_rate_365d_shrunk: recent(jockey, 365, jockeyWins, settings.jockeyRecent),
            trainer_win_rate_90d_shrunk: recent(trainer, 90, trainerWins, settings.trainerRecent),
            jockey_horse_connection_place_rate_shrunk: places(jockeyHorse, settings.jockeyHorsePlaces),
            jockey_trainer_connection_place_rate_shrunk: places(jockeyTrainer, settings.jockeyTrainerPlaces),
            jockey_win_rate_shrunk: jockeyWins,
            jockey_place_rate_shrunk: places(jockey, settings.jockey),
            trainer_win_rate_shrunk: trainerWins,
            trainer_place_rate_shrunk: places(trainer, settings.trainer),
            jockey_horse_connection_win_rate_shrunk: wins(jockeyHorse, settings.jockeyHorse),
            jockey_trainer_connection_win_rate_shrunk: wins(jockeyTrainer, settings.jockeyTrainer),
        };
    };
}

function isWinner({ isWin }: Starter): boolean {
    return isWin;
}

function isPlaced({ isPlace }: Starter): boolean {
    return isPlace;
}

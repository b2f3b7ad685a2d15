import type { Columns } from "./expected-rows.ts";
import { count, Histories } from "./histories.ts";
import type { Starter } from "./starters.ts";

/** How many starts at the prior a rate is worth before the first one. */
export interface ShrinkageSettings {
    readonly horseWins: number;
    readonly horsePlaces: number;
    readonly jockey: number;
    readonly trainer: number;
    readonly jockeyHorse: number;
    readonly jockeyTrainer: number;
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
        const percent = (rate: number | null) => (rate === null ? null : 100 * rate);
        return {
            win_percentage_shrunk: percent(wins(horse, settings.horseWins)),
            place_percentage_shrunk: percent(places(horse, settings.horsePlaces)),
            jockey_win_rate_shrunk: wins(jockey, settings.jockey),
            jockey_place_rate_shrunk: places(jockey, settings.jockey),
            trainer_win_rate_shrunk: wins(trainer, settings.trainer),
            trainer_place_rate_shrunk: places(trainer, settings.trainer),
            jockey_horse_connection_win_rate_shrunk: wins(jockeyHorse, settings.jockeyHorse),
            jockey_trainer_connection_win_rate_shrunk: wins(jockeyTrainer, settings.jockeyTrainer),
        };
    };
}

import type { Wanted } from "./compare.ts";
import { type Columns, withHorse, withTrainer } from "./expected-rows.ts";
import { averagePosition, count, placeRate, winRate } from "./histories.ts";
import { careerColumns, formColumns, styleColumns } from "./horse.ts";
import type { HorseRatings } from "./ratings.ts";
import { groupBy, type Starter } from "./starters.ts";

interface ExpectedForm {
    readonly relation: string;
    readonly key: readonly string[];
    readonly rows: readonly Wanted[];
}

/** The five current forms after the latest result, each from the starts in the location of the latest one. */
export function currentForms(starters: readonly Starter[], ratings: HorseRatings): readonly ExpectedForm[] {
    const starts = starters.filter(({ hasRun }) => hasRun);
    const next = nextRaceDay(starters, starts);
    const form = (
        relation: string,
        key: readonly string[],
        slugsOf: (starter: Starter) => readonly (string | null)[],
        entityOf: (starter: Starter) => string | null,
        columnsOf: (starts: readonly Starter[]) => readonly Columns[],
    ): ExpectedForm => {
        const known = starts.filter((starter) => entityOf(starter) !== null);
        const histories = groupBy(known, (starter) => entityOf(starter)!);
        const latest = new Map(known.map((starter) => [slugsOf(starter).join(" "), starter]));
        const rows = [...latest.values()].map((starter) => ({
            key: slugsOf(starter),
            columns: columnsOf(histories.get(entityOf(starter)!)!),
        }));
        return { relation: `main.${relation}`, key, rows };
    };
    return [
        form(
            "horse_form_state",
            ["horse_slug"],
            ({ horseSlug }) => [horseSlug],
            ({ horse }) => horse,
            (starts) => [horseColumns(starts, next, ratings)],
        ),
        form(
            "jockey_form_state",
            ["jockey_slug"],
            ({ declared }) => [declared.jockeySlug],
            ({ jockey }) => jockey,
            (starts) => [personColumns(starts, "total_rides", "last_ride_date", [20, 50], [20, 50])],
        ),
        form(
            "trainer_form_state",
            ["trainer_slug"],
            ({ declared }) => [declared.trainerSlug],
            ({ trainer }) => trainer,
            (starts) => [personColumns(starts, "total_runners", "last_runner_date", [50, 100], [50, 100])],
        ),
        form(
            "jockey_horse_connection_state",
            ["jockey_slug", "horse_slug"],
            ({ declared, horseSlug }) => [declared.jockeySlug, horseSlug],
            withHorse,
            (starts) => [pairColumns(starts, 3, 5)],
        ),
        form(
            "jockey_trainer_connection_state",
            ["jockey_slug", "trainer_slug"],
            ({ declared }) => [declared.jockeySlug, declared.trainerSlug],
            withTrainer,
            (starts) => [pairColumns(starts, 5, 20 / 3)],
        ),
    ];
}

/** The first day with races to come after the latest results, else the day after these. */
function nextRaceDay(starters: readonly Starter[], starts: readonly Starter[]): number {
    const latest = starts.at(-1)!.day;
    const toCome = starters.filter(({ hasRun, day }) => !hasRun && day > latest);
    return toCome[0]?.day ?? latest + 1;
}

function horseColumns(starts: readonly Starter[], next: number, ratings: HorseRatings): Columns {
    const career = careerColumns(starts, next);
    const form = formColumns(starts);
    const style = styleColumns(starts);
    const latest = starts.at(-1)!;
    const taken = (columns: Columns, ...names: readonly string[]) =>
        Object.fromEntries(names.map((name) => [name, columns[name]!]));
    return {
        ...taken(form, "last_5_win_rate", "last_5_place_rate", "last_5_avg_position", "form_momentum"),
        ...taken(career, "total_races", "wins", "places", "win_percentage", "place_percentage"),
        ...taken(career, "runs_last_60_days", "runs_last_90_days", "avg_days_between_runs"),
        ...taken(style, "running_style", "avg_early_position_800m"),
        last_race_date: latest.day,
        avg_pos_400m: style.avg_mid_position_400m!,
        current_elo: ratings.latest(latest),
    };
}

function personColumns(
    starts: readonly Starter[],
    total: string,
    lastDate: string,
    finishes: readonly number[],
    latest: readonly number[],
): Columns {
    return {
        [total]: starts.length,
        wins: count(starts, ({ isWin }) => isWin),
        places: count(starts, ({ isPlace }) => isPlace),
        win_percentage: 100 * winRate(starts)!,
        place_percentage: 100 * placeRate(starts)!,
        [lastDate]: starts.at(-1)!.day,
        ...Object.fromEntries(
            finishes.map((number) => [`avg_position_${number}`, averagePosition(starts, number)]),
        ),
        ...Object.fromEntries(
            latest.map((number) => [`last_${number}_win_rate`, winRate(starts.slice(-number))]),
        ),
    };
}

/** Strong: together often enough, and more than one win in `oneIn` starts. */
function pairColumns(starts: readonly Starter[], least: number, oneIn: number): Columns {
    const wins = count(starts, ({ isWin }) => isWin);
    return {
        connection_races: starts.length,
        connection_wins: wins,
        connection_places: count(starts, ({ isPlace }) => isPlace),
        connection_win_rate: winRate(starts),
        connection_place_rate: placeRate(starts),
        last_ride_together: starts.at(-1)!.day,
        strong_connection: starts.length >= least && oneIn * wins - starts.length > 1e-9,
    };
}

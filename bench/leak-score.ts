/**
 * Whether a score shows a leak: the same statistics of trainers and jockeys three times, from earlier days (clean),
 * from a frame of rows over the order of races (a second runner of one race, or a later ride of one day, sees results
 * it cannot know), and with the race itself counted in. Each alone in a conditional logit on races before 2002-09,
 * tested from 2003-09 on; then on labels shuffled within each race.
 *
 *     npx tsx bench/leak-score.ts target/files.duckdb
 */
import { DuckDBInstance } from "@duckdb/node-api";
import { estimate, type Feature, judge, type Races, utilities } from "./conditional-logit.ts";

const path = process.argv[2] ?? "target/files.duckdb";
const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
const connection = await instance.connect();

const order = "race_date, race_number, race_id, horse_slug";
const frames = {
    clean: "order by race_date range between unbounded preceding and interval 1 day preceding",
    "rows frame": `order by ${order} rows between unbounded preceding and 1 preceding`,
    "own result": `order by ${order} rows between unbounded preceding and current row`,
} as const;

async function read(expression: string): Promise<Float64Array> {
    const reader = await connection.runAndReadAll(
        `select coalesce((${expression})::double, 'nan'::double) as value from main.race_training_dataset order by ${order}`,
    );
    return Float64Array.from(reader.getColumnsJS()[0] as number[]);
}

const raceIds = await read("race_id");
const days = await read("race_date - date '1970-01-01'");
const winners = await read("is_win::integer");
const rows = raceIds.length;
const starts = [...raceIds].flatMap((id, row) => (row === 0 || id !== raceIds[row - 1] ? [row] : []));
const offsets = Int32Array.from([...starts, rows]);
const firstOn = (date: string) => {
    const race = starts.findIndex((row) => days[row]! >= Date.parse(date) / 86_400_000);
    return race < 0 ? starts.length : race;
};
const fitted = { from: 0, to: firstOn("2002-09-01") };
const tested = { from: firstOn("2003-09-01"), to: starts.length };

/** Shares of a win by race; shuffled: given to the starters of a race by a number that has nothing to do with them. */
function racesOf(shuffle: boolean): Races {
    const wins = new Float64Array(rows);
    for (let race = 0; race + 1 < offsets.length; race++) {
        const [from, to] = [offsets[race]!, offsets[race + 1]!];
        const total = winners.slice(from, to).reduce((sum, win) => sum + win, 0);
        const turn = shuffle ? (race * 7919) % (to - from) : 0;
        for (let row = from; row < to; row++)
            wins[from + ((row - from + turn) % (to - from))] = total > 0 ? winners[row]! / total : 0;
    }
    return { offsets, wins };
}

/** Against the mean of the race, in standard deviations; unknown is the mean. */
function centred(values: Float64Array): Feature {
    const feature = new Float32Array(rows);
    let squares = 0;
    for (let race = 0; race + 1 < offsets.length; race++) {
        const [from, to] = [offsets[race]!, offsets[race + 1]!];
        const known = values.slice(from, to).filter((value) => !Number.isNaN(value));
        const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
        for (let row = from; row < to; row++) {
            feature[row] = Number.isNaN(values[row]!) ? 0 : values[row]! - mean;
            squares += feature[row]! ** 2;
        }
    }
    const deviation = Math.sqrt(squares / rows);
    return feature.map((value) => Math.max(-5, Math.min(5, value / deviation)));
}

for (const person of ["trainer", "jockey"]) {
    for (const [name, frame] of Object.entries(frames)) {
        const wins = `avg(is_win::integer) over (partition by ${person}_location_slug ${frame})`;
        const features = [centred(await read(`case when ${person}_slug is not null then ${wins} end`))];
        const scores = [false, true].map((shuffle) => {
            const races = racesOf(shuffle);
            const weights = estimate(races, features, fitted, 30);
            return judge(races, utilities(features, weights, rows), tested).r2.toFixed(4);
        });
        console.log(`${person} win rate, ${name}: R2 tested ${scores[0]}, labels shuffled ${scores[1]}`);
    }
}

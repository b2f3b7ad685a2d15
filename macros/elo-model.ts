import { type Column, type ColumnChunk, defineModel, type TypeScriptModel } from "../runner/model.ts";
import type { VarValue } from "../runner/project/project.ts";
import { createPairwiseElo, type DayOfStarters, type EloSettings, type PairwiseElo } from "./pairwise-elo.ts";

/** Which entity of a starter is rated, and what the columns of its model are called. */
export interface EloModel {
    /** horse, jockey or trainer: `<entity>_elo` and `<entity>_elo_after`. */
    readonly entity: string;
    /** Column of the base with the entity's key in its location. */
    readonly keyColumn: string;
    /** Column with its key across locations; absent: nothing is carried from elsewhere. */
    readonly groupColumn?: string;
    readonly defaultColumn: string;
    readonly racesColumn: string;
    /** Prefix of the variables that choose K, boost and margins. */
    readonly vars: string;
}

/** Rows kept back before they are written; the rows of a day never part. */
const rowsPerWrite = 8 * 2048;

/** A rating as a model: one row per starter, upcoming ones included, in the grain of the base. */
export function defineEloModel(model: EloModel): TypeScriptModel {
    const columns = {
        runner_id: "uinteger",
        race_id: "bigint",
        race_date: "date",
        [`${model.entity}_elo`]: "double",
        [model.defaultColumn]: "boolean",
        [model.racesColumn]: "integer",
        [`${model.entity}_elo_after`]: "double",
    };
    return defineModel({
        refs: ["runners"],
        columns,
        async run({ ref, vars, read, write, signal }) {
            const rating = createPairwiseElo(eloSettings(vars, model.vars));
            const day = new DayBuffer();
            const rated = new RatedRows(model);
            const query = `
                select
                    runner_id,
                    race_id,
                    race_date,
                    coalesce(${model.keyColumn}, -1)::double as entity,
                    ${model.groupColumn ? `coalesce(${model.groupColumn}, -1)` : "-1"}::double as family,
                    has_run,
                    coalesce(position::integer, 0) as place,
                    coalesce(margin::double, 'nan'::double) as lengths,
                from ${ref("runners")}
                order by runner_id`;
            for await (const chunk of read(query)) {
                signal.throwIfAborted();
                const dates = chunk.columns.race_date!.values as Int32Array;
                for (let from = 0, to = 1; from < chunk.rowCount; from = to++) {
                    while (to < chunk.rowCount && dates[to] === dates[from]) to++;
                    if (day.count > 0 && day.day !== dates[from]) {
                        rated.add(day, rating);
                        if (rated.count >= rowsPerWrite) {
                            await write(rated.chunk());
                            rated.clear();
                        }
                    }
                    day.take(chunk, from, to);
                }
            }
            if (day.count > 0) rated.add(day, rating);
            if (rated.count > 0) await write(rated.chunk());
        },
    });
}

/** The variables of one rating: `<prefix>_k` and so on; each must be a number. */
export function eloSettings(vars: Readonly<Record<string, VarValue>>, prefix: string): EloSettings {
    const number = (name: string): number => {
        const value = vars[name];
        if (typeof value === "number") return value;
        throw new TypeError(
            `The variable ${name} is ${JSON.stringify(value)}; a rating needs a number: set it in rebuild.yml under vars.`,
        );
    };
    return {
        first: number("elo_first"),
        transfer: number("elo_transfer"),
        k: number(`${prefix}_k`),
        boost: number(`${prefix}_boost`),
        boostRaces: number(`${prefix}_boost_races`),
        marginScale: number(`${prefix}_margin_scale`),
        marginCap: number(`${prefix}_margin_cap`),
    };
}

/** The starters of the day that is being read; it may begin in one chunk and end in the next. */
class DayBuffer implements DayOfStarters {
    day = 0;
    count = 0;
    runnerId = new Uint32Array(256);
    raceId = new BigInt64Array(256);
    race = new Int32Array(256);
    entity = new Int32Array(256);
    group = new Int32Array(256);
    hasRun = new Uint8Array(256);
    position = new Int32Array(256);
    margin = new Float64Array(256);
    private readonly entities = new KeyNumbers();
    private readonly groups = new KeyNumbers();

    take(chunk: ColumnChunk, from: number, to: number): void {
        const { columns } = chunk;
        const at = this.count;
        this.count += to - from;
        this.makeRoom(this.count);
        this.day = (columns.race_date!.values as Int32Array)[from]!;
        this.runnerId.set((columns.runner_id!.values as Uint32Array).subarray(from, to), at);
        this.raceId.set((columns.race_id!.values as BigInt64Array).subarray(from, to), at);
        this.numberRaces(at);
        this.entities.number(columns.entity!.values as Float64Array, from, to, this.entity, at);
        this.groups.number(columns.family!.values as Float64Array, from, to, this.group, at);
        this.hasRun.set((columns.has_run!.values as Uint8Array).subarray(from, to), at);
        this.position.set((columns.place!.values as Int32Array).subarray(from, to), at);
        this.margin.set((columns.lengths!.values as Float64Array).subarray(from, to), at);
    }

    clear(): void {
        this.count = 0;
    }

    /** Consecutive numbers within the day: a race is one run of rows. */
    private numberRaces(at: number): void {
        // Halves of the identifiers: reading one as a whole allocates it.
        const halves = new Int32Array(this.raceId.buffer);
        for (let row = at; row < this.count; row++) {
            const isSameRace =
                row > 0 &&
                halves[2 * row] === halves[2 * row - 2] &&
                halves[2 * row + 1] === halves[2 * row - 1];
            this.race[row] = row === 0 ? 0 : this.race[row - 1]! + (isSameRace ? 0 : 1);
        }
    }

    private makeRoom(count: number): void {
        if (count <= this.entity.length) return;
        const length = count * 2;
        this.runnerId = extend(this.runnerId, new Uint32Array(length));
        this.raceId = extend(this.raceId, new BigInt64Array(length));
        this.race = extend(this.race, new Int32Array(length));
        this.entity = extend(this.entity, new Int32Array(length));
        this.group = extend(this.group, new Int32Array(length));
        this.hasRun = extend(this.hasRun, new Uint8Array(length));
        this.position = extend(this.position, new Int32Array(length));
        this.margin = extend(this.margin, new Float64Array(length));
    }
}

type Numbers = Int32Array | Uint32Array | Uint8Array | Float64Array;

/** `longer`, beginning with `values`. */
function extend<Values extends Numbers | BigInt64Array>(values: Values, longer: Values): Values {
    (longer as Numbers).set(values as Numbers);
    return longer;
}

/** Numbers keys from 0 on in the order of their first start, so that ratings lie in arrays; -1 stays -1. */
class KeyNumbers {
    private readonly known = new Map<number, number>();

    number(keys: Float64Array, from: number, to: number, into: Int32Array, at: number): void {
        for (let row = from; row < to; row++) {
            const key = keys[row]!;
            let number = key < 0 ? -1 : this.known.get(key);
            if (number === undefined) {
                number = this.known.size;
                this.known.set(key, number);
            }
            into[at + row - from] = number;
        }
    }
}

/** Whole days of rated starters, ready to be written. */
class RatedRows {
    count = 0;
    private runnerId = new Uint32Array(rowsPerWrite);
    private raceId = new BigInt64Array(rowsPerWrite);
    private date = new Int32Array(rowsPerWrite);
    private before = new Float64Array(rowsPerWrite);
    private after = new Float64Array(rowsPerWrite);
    private races = new Int32Array(rowsPerWrite);
    private readonly model: EloModel;

    constructor(model: EloModel) {
        this.model = model;
    }

    /** Rates the day and empties its buffer. */
    add(day: DayBuffer, rating: PairwiseElo): void {
        const { before, after, races } = rating.rateDay(day);
        const at = this.count;
        this.count += day.count;
        this.makeRoom(this.count);
        this.runnerId.set(day.runnerId.subarray(0, day.count), at);
        this.raceId.set(day.raceId.subarray(0, day.count), at);
        this.date.fill(day.day, at, this.count);
        this.before.set(before.subarray(0, day.count), at);
        this.after.set(after.subarray(0, day.count), at);
        this.races.set(races.subarray(0, day.count), at);
        day.clear();
    }

    chunk(): ColumnChunk {
        const { count } = this;
        const races = this.races.subarray(0, count);
        const valid = new Uint8Array(count);
        const isDefault = new Uint8Array(count);
        for (let row = 0; row < count; row++) {
            // Without an entity there is no evidence: NULL in all four.
            valid[row] = Number.isNaN(this.before[row]) ? 0 : 1;
            isDefault[row] = races[row] === 0 ? 1 : 0;
        }
        const rated = (values: Column["values"]): Column => ({ values, valid });
        return {
            rowCount: count,
            columns: {
                runner_id: { values: this.runnerId.subarray(0, count) },
                race_id: { values: this.raceId.subarray(0, count) },
                race_date: { values: this.date.subarray(0, count) },
                [`${this.model.entity}_elo`]: rated(this.before.subarray(0, count)),
                [this.model.defaultColumn]: rated(isDefault),
                [this.model.racesColumn]: rated(races),
                [`${this.model.entity}_elo_after`]: rated(this.after.subarray(0, count)),
            },
        };
    }

    clear(): void {
        this.count = 0;
    }

    private makeRoom(count: number): void {
        if (count <= this.runnerId.length) return;
        const length = count * 2;
        this.runnerId = extend(this.runnerId, new Uint32Array(length));
        this.raceId = extend(this.raceId, new BigInt64Array(length));
        this.date = extend(this.date, new Int32Array(length));
        this.before = extend(this.before, new Float64Array(length));
        this.after = extend(this.after, new Float64Array(length));
        this.races = extend(this.races, new Int32Array(length));
    }
}

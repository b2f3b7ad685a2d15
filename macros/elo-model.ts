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
const rowsPerWrite = 16_384;

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
            let written = new RatedRows(model);
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
                        written.add(day, rating);
                        if (written.count >= rowsPerWrite) {
                            await write(written.chunk());
                            written = new RatedRows(model);
                        }
                    }
                    day.take(chunk, from, to);
                }
            }
            if (day.count > 0) written.add(day, rating);
            if (written.count > 0) await write(written.chunk());
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
    runnerId: number[] = [];
    raceId: bigint[] = [];
    race = new Int32Array(256);
    entity = new Int32Array(256);
    group = new Int32Array(256);
    hasRun = new Uint8Array(256);
    private readonly entities = new KeyNumbers();
    private readonly groups = new KeyNumbers();
    position = new Int32Array(256);
    margin = new Float64Array(256);

    take(chunk: ColumnChunk, from: number, to: number): void {
        const { columns } = chunk;
        const raceIds = columns.race_id!.values as BigInt64Array;
        const runnerIds = columns.runner_id!.values as Uint32Array;
        this.makeRoom(this.count + to - from);
        this.day = (columns.race_date!.values as Int32Array)[from]!;
        for (let row = from; row < to; row++) {
            const index = this.count++;
            const raceId = raceIds[row]!;
            // Consecutive numbers within the day: a race is one run of rows.
            const isSameRace = index > 0 && this.raceId[index - 1] === raceId;
            this.race[index] = index === 0 ? 0 : this.race[index - 1]! + (isSameRace ? 0 : 1);
            this.runnerId[index] = runnerIds[row]!;
            this.raceId[index] = raceId;
        }
        const at = this.count - (to - from);
        this.entities.number(columns.entity!.values as Float64Array, from, to, this.entity, at);
        this.groups.number(columns.family!.values as Float64Array, from, to, this.group, at);
        this.hasRun.set((columns.has_run!.values as Uint8Array).subarray(from, to), at);
        this.position.set((columns.place!.values as Int32Array).subarray(from, to), at);
        this.margin.set((columns.lengths!.values as Float64Array).subarray(from, to), at);
    }

    clear(): void {
        this.count = 0;
    }

    private makeRoom(count: number): void {
        if (count <= this.entity.length) return;
        const length = count * 2;
        const extend = <Values extends Int32Array | Uint8Array | Float64Array>(
            values: Values,
            grown: Values,
        ): Values => {
            grown.set(values);
            return grown;
        };
        this.race = extend(this.race, new Int32Array(length));
        this.entity = extend(this.entity, new Int32Array(length));
        this.group = extend(this.group, new Int32Array(length));
        this.hasRun = extend(this.hasRun, new Uint8Array(length));
        this.position = extend(this.position, new Int32Array(length));
        this.margin = extend(this.margin, new Float64Array(length));
    }
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
    private readonly runnerId: number[] = [];
    private readonly raceId: bigint[] = [];
    private readonly date: number[] = [];
    private readonly before: number[] = [];
    private readonly after: number[] = [];
    private readonly races: number[] = [];
    private readonly model: EloModel;

    constructor(model: EloModel) {
        this.model = model;
    }

    /** Rates the day and empties its buffer. */
    add(day: DayBuffer, rating: PairwiseElo): void {
        const { before, after, races } = rating.rateDay(day);
        for (let row = 0; row < day.count; row++) {
            this.runnerId.push(day.runnerId[row]!);
            this.raceId.push(day.raceId[row]!);
            this.date.push(day.day);
            this.before.push(before[row]!);
            this.after.push(after[row]!);
            this.races.push(races[row]!);
        }
        this.count += day.count;
        day.clear();
    }

    chunk(): ColumnChunk {
        // Without an entity there is no evidence: NULL in all four.
        const valid = Uint8Array.from(this.before, (value) => (Number.isNaN(value) ? 0 : 1));
        const rated = (values: Column["values"]): Column => ({ values, valid });
        return {
            rowCount: this.count,
            columns: {
                runner_id: { values: Uint32Array.from(this.runnerId) },
                race_id: { values: BigInt64Array.from(this.raceId) },
                race_date: { values: Int32Array.from(this.date) },
                [`${this.model.entity}_elo`]: rated(Float64Array.from(this.before)),
                [this.model.defaultColumn]: rated(
                    Uint8Array.from(this.races, (races) => (races === 0 ? 1 : 0)),
                ),
                [this.model.racesColumn]: rated(Int32Array.from(this.races)),
                [`${this.model.entity}_elo_after`]: rated(Float64Array.from(this.after)),
            },
        };
    }
}

import { quoteName, quoteText } from "../../names.ts";
import type { ColumnType, Warehouse } from "../../warehouse/types.ts";
import { type Compared, isBefore, isOnDay, rowHash } from "./compared-rows.ts";

/** What one side of a comparison has on one day. */
export interface DayChecksum {
    readonly rows: number;
    /** Sum over rows of a 64-bit hash of their columns: the same for the same rows, in any order. */
    readonly sum: bigint;
}

/**
 * By ISO day, the empty text for rows without one. One scan tells a model's rows from those of another build, day by
 * day, so that keys are joined only on days that differ. Another value always changes its row's hash; in the sum that
 * goes unnoticed with the odds of 1 in 2^64.
 */
export type Checksums = ReadonlyMap<string, DayChecksum>;

async function readChecksums(
    warehouse: Warehouse,
    relation: string,
    { day }: Compared,
    hash: string,
    where: string,
): Promise<Checksums> {
    const rows = await warehouse.rows(`
        select ${day} as day, count(*) as rows, sum(${hash}) as sum
        from ${relation}
        where ${where}
        group by all`);
    return new Map(
        rows.map(({ day, rows, sum }) => [
            day === null ? "" : String(day),
            { rows: Number(rows), sum: BigInt(sum as bigint) },
        ]),
    );
}

/** The full build's side: each model is read once for all days that are replayed. */
export class FullSide {
    readonly #warehouse: Warehouse;
    readonly #days: readonly string[];
    readonly #columns = new Map<string, Promise<readonly ColumnType[]>>();
    readonly #before = new Map<string, Promise<Checksums>>();
    readonly #onDay = new Map<string, Promise<Checksums>>();

    /** `days`: all that will be replayed. */
    constructor(warehouse: Warehouse, days: readonly string[]) {
        this.#warehouse = warehouse;
        this.#days = days;
    }

    columns(model: string): Promise<readonly ColumnType[]> {
        return once(this.#columns, model, () =>
            this.#warehouse.describe(`select * from main.${quoteName(model)}`),
        );
    }

    async checksums(compared: Compared, t: string): Promise<Checksums> {
        const { model, before, onDay, partner, isLeft, day } = compared;
        const relation = `main.${quoteName(model.name)}`;
        const all = await once(this.#before, model.name, () =>
            readChecksums(this.#warehouse, relation, compared, rowHash(before), "true"),
        );
        const earlier = [...all].filter(([day]) => day < t);
        if (isLeft) return new Map(earlier);
        if (before.length === onDay.length && partner === undefined) {
            return new Map([...all].filter(([day]) => day <= t));
        }
        const today = await once(this.#onDay, model.name, async () => {
            const among = `${day} in (${this.#days.map(quoteText).join(", ")})`;
            const models = [relation, ...(partner === undefined ? [] : [`main.${quoteName(partner)}`])];
            return addUp(
                await Promise.all(
                    models.map((from) =>
                        readChecksums(this.#warehouse, from, compared, rowHash(onDay), among),
                    ),
                ),
            );
        });
        return new Map([...earlier, ...[...today].filter(([day]) => day === t)]);
    }
}

function once<Value>(
    kept: Map<string, Promise<Value>>,
    key: string,
    make: () => Promise<Value>,
): Promise<Value> {
    const known = kept.get(key);
    if (known) return known;
    const made = make();
    kept.set(key, made);
    return made;
}

/** The replay's side, in one scan of the model. */
export async function readReplayed(
    scratch: Warehouse,
    compared: Compared,
    t: string,
    relationOf: (model: string) => string,
): Promise<Checksums> {
    const { model, before, onDay, partner, isLeft } = compared;
    const relation = relationOf(model.name);
    const [earlier, today] = [isBefore(compared, t), isOnDay(compared, t)];
    if (isLeft) return readChecksums(scratch, relation, compared, rowHash(before), earlier);
    const hash = `case when ${today} then ${rowHash(onDay)} else ${rowHash(before)} end`;
    const own = await readChecksums(
        scratch,
        relation,
        compared,
        before.length === onDay.length ? rowHash(before) : hash,
        `(${earlier} or ${today})`,
    );
    if (partner === undefined) return own;
    return addUp([own, await readChecksums(scratch, relationOf(partner), compared, rowHash(onDay), today)]);
}

function addUp(all: readonly Checksums[]): Checksums {
    const total = new Map<string, DayChecksum>();
    for (const [day, { rows, sum }] of all.flatMap((one) => [...one])) {
        const before = total.get(day) ?? { rows: 0, sum: 0n };
        total.set(day, { rows: before.rows + rows, sum: before.sum + sum });
    }
    return total;
}

/** Days whose rows are not the same on both sides, in order. */
export function differingDays(one: Checksums, other: Checksums): readonly string[] {
    return [...new Set([...one.keys(), ...other.keys()])]
        .filter((day) => {
            const [here, there] = [one.get(day), other.get(day)];
            return here?.rows !== there?.rows || here?.sum !== there?.sum;
        })
        .sort();
}

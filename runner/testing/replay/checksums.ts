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

/** One scan of a model: sums over the columns that count on earlier days, and over those that count on T. */
interface Scan {
    readonly before: Checksums;
    readonly onDay: Checksums;
}

/** One build's rows, each model scanned once: a model from which rows move on is asked for by two. */
class Scans {
    readonly #warehouse: Warehouse;
    readonly #found = new Map<string, Promise<Scan>>();

    constructor(warehouse: Warehouse) {
        this.#warehouse = warehouse;
    }

    scan(compared: Compared, relation: string, days: readonly string[], where: string): Promise<Scan> {
        return once(this.#found, compared.model.name, async () => {
            const { day, before, onDay } = compared;
            const [whole, known] = [rowHash(before), rowHash(onDay)];
            const onDays = `${day} in (${days.map(quoteText).join(", ")})`;
            const rows = await this.#warehouse.rows(`
                select
                    ${day} as day,
                    count(*) as rows,
                    sum(${whole}) as before,
                    ${whole === known ? "null" : `sum(case when ${onDays} then ${known} end)`} as on_day,
                from ${relation}
                where ${where}
                group by all`);
            const sums = (column: "before" | "on_day") =>
                new Map(
                    rows.map((row) => [
                        row.day === null ? "" : String(row.day),
                        { rows: Number(row.rows), sum: BigInt((row[column] ?? 0) as bigint) },
                    ]),
                );
            const all = sums("before");
            return { before: all, onDay: whole === known ? all : sums("on_day") };
        });
    }
}

/** The full build's side, for all days that are replayed on it. */
export class FullSide {
    readonly #warehouse: Warehouse;
    readonly #days: readonly string[];
    readonly #columns = new Map<string, Promise<readonly ColumnType[]>>();
    readonly #scans: Scans;

    constructor(warehouse: Warehouse, days: readonly string[]) {
        this.#warehouse = warehouse;
        this.#days = days;
        this.#scans = new Scans(warehouse);
    }

    columns(model: string): Promise<readonly ColumnType[]> {
        return once(this.#columns, model, () =>
            this.#warehouse.describe(`select * from main.${quoteName(model)}`),
        );
    }

    read(compared: Compared, t: string): Promise<Checksums> {
        const last = [...this.#days].sort().at(-1)!;
        return upTo(compared, t, (one) =>
            this.#scans.scan(
                one,
                `main.${quoteName(one.model.name)}`,
                this.#days,
                `(${one.day} <= ${quoteText(last)} or ${one.day} is null)`,
            ),
        );
    }
}

/** The side of one day's replay. */
export class ReplayedSide {
    readonly #scans: Scans;
    readonly #day: string;

    constructor(scratch: Warehouse, day: string) {
        this.#scans = new Scans(scratch);
        this.#day = day;
    }

    read(compared: Compared, relationOf: (model: string) => string): Promise<Checksums> {
        const t = this.#day;
        return upTo(compared, t, (one) =>
            this.#scans.scan(
                one,
                relationOf(one.model.name),
                [t],
                `(${isBefore(one, t)} or ${isOnDay(one, t)})`,
            ),
        );
    }
}

/** Rows of earlier days and of none; and of T, unless they are compared where they have moved. */
async function upTo(
    compared: Compared,
    t: string,
    scan: (one: Compared) => Promise<Scan>,
): Promise<Checksums> {
    const own = await scan(compared);
    const earlier = [...own.before].filter(([day]) => day < t);
    if (compared.isLeft) return new Map(earlier);
    const sides = [own, ...(compared.partner ? [await scan(compared.partner)] : [])];
    const today = sides.map(({ onDay }) => onDay.get(t)).filter((one) => one !== undefined);
    if (today.length === 0) return new Map(earlier);
    const rows = today.reduce((all, one) => all + one.rows, 0);
    const sum = today.reduce((all, one) => all + one.sum, 0n);
    return new Map([...earlier, [t, { rows, sum }]]);
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
    // What failed for want of memory is tried again.
    made.catch(() => kept.delete(key));
    return made;
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

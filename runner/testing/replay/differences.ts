import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { type Compared, isBefore, isOnDay } from "./compared-rows.ts";

/** One value that is not what it was. */
export interface Example {
    /** Columns of the grain, and those that lead to the row's event, as text. */
    readonly key: Readonly<Record<string, string | null>>;
    /** The row's day, ISO. */
    readonly day: string | null;
    /** Absent: the row itself is missing or extra. */
    readonly column?: string;
    /** In the full build, as text; null: NULL. */
    readonly full: string | null;
    readonly replayed: string | null;
}

export interface Differences {
    /** Columns that differ, the one with most rows first. */
    readonly columns: readonly { readonly column: string; readonly rows: number }[];
    /** Rows of the full build that the replay lacks. */
    readonly missing: number;
    /** Rows of the replay that the full build lacks. */
    readonly extra: number;
    readonly example?: Example;
}

export interface DifferenceQuery {
    readonly scratch: Warehouse;
    readonly compared: Compared;
    /** Columns that lead to an event, whatever the grain is. */
    readonly eventKeys: readonly string[];
    readonly t: string;
    /** Those that differ, as ISO text; the empty text for rows without one. */
    readonly days: readonly string[];
    readonly fullOf: (model: string) => string;
    readonly replayedOf: (model: string) => string;
}

/** Compares rows by key and column by column, on the days that differ. */
export async function findDifferences(query: DifferenceQuery): Promise<Differences> {
    const { t, days } = query;
    const earlier = days.filter((day) => day !== t);
    const found = [
        ...(days.includes(t) ? [await differencesOf(query, [t])] : []),
        ...(earlier.length > 0 ? [await differencesOf(query, earlier)] : []),
    ];
    const rows = new Map<string, number>();
    for (const one of found.flatMap(({ columns }) => columns))
        rows.set(one.column, (rows.get(one.column) ?? 0) + one.rows);
    const example = found.find((one) => one.example)?.example;
    return {
        columns: [...rows]
            .map(([column, count]) => ({ column, rows: count }))
            .sort((one, other) => other.rows - one.rows),
        missing: found.reduce((sum, { missing }) => sum + missing, 0),
        extra: found.reduce((sum, { extra }) => sum + extra, 0),
        ...(example && { example }),
    };
}

/** Of days before T, or of T alone. */
async function differencesOf(query: DifferenceQuery, days: readonly string[]): Promise<Differences> {
    const { scratch, compared, t, fullOf, replayedOf } = query;
    const { grain } = compared.model.config;
    const today = days.length === 1 && days[0] === t;
    const columns = (today ? compared.onDay : compared.before).map(({ name }) => name);
    const models = [compared.model.name, ...(today && compared.partner ? [compared.partner.model.name] : [])];
    const list = columns.map(quoteName).join(", ");
    const where = today
        ? isOnDay(compared, t)
        : `${isBefore(compared, t)} and coalesce(${compared.day}::varchar, '') in (${days.map(quoteText).join(", ")})`;
    const side = (relationOf: (model: string) => string) =>
        models.map((model) => `select ${list} from ${relationOf(model)} where ${where}`).join(" union all ");
    const [full, replayed] = [side(fullOf), side(replayedOf)];
    if (grain.length === 0) return countUnmatched(scratch, full, replayed);
    const joined = `
        from (select *, true as is_there from (${full})) as full_row
        full outer join (select *, true as is_there from (${replayed})) as replayed
            on ${grain.map((name) => `full_row.${quoteName(name)} is not distinct from replayed.${quoteName(name)}`).join(" and ")}`;
    const values = columns.filter((name) => !grain.includes(name));
    const differs = (name: string) =>
        `full_row.is_there and replayed.is_there and full_row.${quoteName(name)} is distinct from replayed.${quoteName(name)}`;
    const [row] = await scratch.rows(`
        select
            count_if(replayed.is_there is null) as missing,
            count_if(full_row.is_there is null) as extra,
            ${values.map((name, index) => `count_if(${differs(name)}) as column_${index},`).join("\n")}
        ${joined}`);
    const differing = values
        .map((column, index) => ({ column, rows: Number(row![`column_${index}`]) }))
        .filter(({ rows }) => rows > 0)
        .sort((one, other) => other.rows - one.rows);
    const [missing, extra] = [Number(row!.missing), Number(row!.extra)];
    const column = differing[0]?.column;
    const example =
        differing.length + missing + extra > 0
            ? await findExample(
                  query,
                  joined,
                  column,
                  column === undefined
                      ? "full_row.is_there is null or replayed.is_there is null"
                      : differs(column),
              )
            : undefined;
    return { columns: differing, missing, extra, ...(example && { example }) };
}

/** The latest row: closest to the day from which on outcomes were changed. */
async function findExample(
    { scratch, compared, eventKeys }: DifferenceQuery,
    joined: string,
    column: string | undefined,
    where: string,
): Promise<Example | undefined> {
    const { grain, asOf } = compared.model.config;
    const leading = eventKeys.filter((key) => compared.onDay.some(({ name }) => name === key));
    const keys = [...new Set([...grain, ...leading])];
    const text = (name: string) =>
        `coalesce(full_row.${quoteName(name)}, replayed.${quoteName(name)})::varchar`;
    const value = (side: string) =>
        column === undefined ? `case when ${side}.is_there then 'a row' end` : `${side}.${quoteName(column)}`;
    const [row] = await scratch.rows(`
        select
            ${text(asOf!)}::date::varchar as day,
            ${keys.map((name, index) => `${text(name)} as key_${index},`).join("\n")}
            ${value("full_row")}::varchar as full_value,
            ${value("replayed")}::varchar as replayed_value,
        ${joined}
        where ${where}
        order by day desc nulls last${grain.map((_, index) => `, key_${index}`).join("")}
        limit 1`);
    if (!row) return undefined;
    const given = (name: string) => (row[name] === null ? null : String(row[name]));
    return {
        key: Object.fromEntries(keys.map((name, index) => [name, given(`key_${index}`)])),
        day: given("day"),
        ...(column !== undefined && { column }),
        full: given("full_value"),
        replayed: given("replayed_value"),
    };
}

/** Without a grain no row can be told to be another one changed. */
async function countUnmatched(scratch: Warehouse, full: string, replayed: string): Promise<Differences> {
    const count = (one: string, other: string) => `(select count(*) from ((${one}) except all (${other})))`;
    const [row] = await scratch.rows(
        `select ${count(full, replayed)} as missing, ${count(replayed, full)} as extra`,
    );
    return { columns: [], missing: Number(row!.missing), extra: Number(row!.extra) };
}

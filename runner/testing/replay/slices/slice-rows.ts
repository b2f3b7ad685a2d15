import { quoteName, quoteText } from "../../../names.ts";
import { isNumberType } from "../../../project/column-types.ts";
import type { Source } from "../../../project/project.ts";
import type { Warehouse } from "../../../warehouse/types.ts";
import { outcomeColumns } from "../clocks.ts";
import { attributesOf, type SliceGroup, sliceTables } from "./slice-attributes.ts";
import { fewValues, type SlicePlace } from "./slice-events.ts";

/** Rows that are taken of events that are not whole, as shares of a slice's size. */
const shares = {
    /** Of the busiest value of each attribute. */
    depth: 1.5,
    /** Of the entities of a kind. */
    careers: 5,
    /** Of two attributes together. */
    pairs: 0.4,
    /** Of the rarest values of each attribute that has not too many. */
    rare: 0.2,
} as const;

/** How far a slice counts back: so many rows have the day's busiest value of an attribute, if there are as many. */
export const sliceDepth = (size: number) => Math.round(size * shares.depth);

/** Rows of an event that stands for its kind. */
const rowsOfKind = 2;

/** Rows before the day of every value that an attribute has on it. */
const rowsOfValue = 10;

/** A detail as the queries here see it: the table of its rows, and SQL names. */
interface Facts extends SlicePlace {
    readonly group: SliceGroup;
    /**
     * A table of every row that has an event: `slice_row`, the event's `slice_place`, and attributes as numbers, the
     * same for the same value.
     */
    readonly relation: string;
    /** SQL conditions on `slice_place`. */
    readonly before: string;
    readonly onDay: string;
    readonly after: string;
    /** Attributes of a row, and of its event. */
    readonly own: readonly string[];
    readonly ofEvent: readonly string[];
    readonly entities: readonly string[];
    /** Evenly from 0 to 1: which of several rows that are as good. */
    readonly lot: string;
    /** A result of the row, low for few of them: where there is one in numbers. */
    readonly outcome: string | undefined;
}

/**
 * Makes the table of rows that a slice takes of a detail beside those of whole events, from all over the history: of an
 * event of ten a row costs a tenth, and to who counts it a history of rows is as long.
 */
export async function createRows(
    place: SlicePlace,
    group: SliceGroup,
    index: number,
    ofEvent: readonly string[],
    places: string,
): Promise<void> {
    const { scratch, seed } = place;
    const { history, whole, rows } = sliceTables(group);
    const { facts, shared, pairs, placed } = await createFacts(place, group, index, ofEvent);
    const { relation, entities } = facts;
    const [kinds, taken] = [`${rows(index)}_kinds`, `${rows(index)}_taken`];
    const take = async (table: string, queries: readonly string[]) => {
        for (const query of queries) await scratch.execute(`insert into ${table} ${query}`);
    };
    await scratch.execute(`create table ${kinds} (slice_row integer)`);
    await take(kinds, [rowsOfEvents(facts, places), ...(await rowsOfValues(facts, shared))]);
    await scratch.execute(`create table ${taken} as from ${kinds}`);
    await take(taken, [
        await deepest(facts),
        ...entities.flatMap((entity) => [career(facts, entity, seed), next(facts, entity, kinds)]),
        ...pairs.map((pair) => rowsOfPair(facts, pair)),
        ...[...pairs, ...placed].map((pair) => deepestPair(facts, pair)),
    ]);
    const keys = group.keys.map(quoteName).join(", ");
    await scratch.execute(`
        create table ${rows(index)} as
        select slice_row, ${keys}
        from ${relation} semi join ${taken} using (slice_row)
        inner join ${history} using (slice_place)
        anti join ${whole} using (${keys})`);
    for (const table of [kinds, taken, relation]) await scratch.execute(`drop table ${table}`);
}

async function createFacts(place: SlicePlace, group: SliceGroup, index: number, ofEvent: readonly string[]) {
    const { scratch, base, day, seed } = place;
    const { history, facts: relationOf } = sliceTables(group);
    const detail = group.details[index] as Source;
    const columns = attributesOf(detail, group);
    const relation = relationOf(index);
    const from = `
        from ${base}.sources.${quoteName(detail.name)} as source
        inner join ${history} as event using (${group.keys.map(quoteName).join(", ")})`;
    const t = quoteText(day);
    const [events] = await scratch.rows(
        `select count_if(replay_day < ${t}) as before, count_if(replay_day <= ${t}) as up_to from ${history}`,
    );
    const attributes = await attributesOnDay(
        scratch,
        group,
        columns.map((_, at) => `d_${at}`),
        `(
            select ${columns.map((name, at) => `source.${name} as d_${at}, `).join("")} event.*
            ${from} where replay_day = ${t}
        )`,
    );
    const entities = (detail.entities ?? []).map((name) => `d_${columns.indexOf(quoteName(name))}`);
    const wanted = new Set([...attributes.own, ...entities, ...attributes.placed.map(([, other]) => other)]);
    const value = (column: string, name: string) =>
        wanted.has(name)
            ? [`case when ${column} is not null then hash(${column}) >> 32 end::uinteger as ${name}`]
            : [];
    const values = [
        ...columns.flatMap((name, at) => value(`source.${name}`, `d_${at}`)),
        ...ofEvent.flatMap((name) => value(`event.${name}`, name)),
    ];
    const outcome = outcomeColumns(detail).find(({ type }) => isNumberType(type));
    if (outcome) values.push(`source.${quoteName(outcome.name)}::float as slice_outcome`);
    await scratch.execute(`
        create table ${relation} as
        select source.rowid::integer as slice_row, ${["slice_place", ...values].join(", ")}
        ${from}`);
    const facts: Facts = {
        ...place,
        group,
        relation,
        before: `slice_place <= ${events!.before}`,
        onDay: `slice_place between ${events!.before} + 1 and ${events!.up_to}`,
        after: `slice_place > ${events!.up_to}`,
        own: attributes.own,
        ofEvent,
        entities,
        lot: `hash(hash(slice_row, ${seed})) / 2.0::double ** 64`,
        outcome: outcome && "slice_outcome",
    };
    return { facts, ...attributes };
}

/**
 * As far back as a slice counts, the rows with the value that was busiest of those of the day, for each attribute;
 * first those that have more such values in common, the rarer the better, so that few rows are deep in all of them.
 */
async function deepest(facts: Facts): Promise<string> {
    const { scratch, group, relation, onDay, after, own, lot, size } = facts;
    // Months pass, and sizes are told apart by the kinds of events.
    const ofEvent = facts.ofEvent.filter((name) => name !== "e_month" && name !== "e_parts");
    const { history } = sliceTables(group);
    const busiest = (name: string, rows: string, from: string) => `(
        select {'value': ${name}, 'rows': ${rows}} from ${from}
        where ${name} in (select ${name} from ${from} where ${onDay})
        group by ${name} order by ${rows} desc, ${name} limit 1
    ) as ${name}`;
    const usual = [
        ...own.map((name) => busiest(name, "count(*)", relation)),
        ...ofEvent.map((name) => busiest(name, "greatest(1, sum(e_parts))", history)),
    ];
    await scratch.execute(`create table ${relation}_usual as select ${usual.join(", ")}`);
    const isUsual = (name: string) => `fact.${name} = usual.${name}.value`;
    const score = (names: readonly string[]) =>
        names.map((name) => `case when ${isUsual(name)} then 1.0::double / usual.${name}.rows else 0 end`);
    const marks = (names: readonly string[]) =>
        names.map((name) => `${isUsual(name)} as is_${name}, `).join("");
    const depth = sliceDepth(size);
    const lists = [...own, ...ofEvent].map(
        (name) => `arg_max(slice_row, score, ${depth}) filter (where is_${name})`,
    );
    return `
        select unnest(flatten([${lists.join(", ")}])) as slice_row
        from (
            select
                slice_row,
                event.*,
                ${marks(own)}
                ${[...score(own), "event_score"].join(" + ")} + 1e-9 * ${lot} as score,
            from ${relation} as fact
            inner join (
                select slice_place, ${marks(ofEvent)} ${score(ofEvent).join(" + ") || "0"} as event_score,
                from ${history} as fact
                cross join ${relation}_usual as usual
            ) as event using (slice_place)
            cross join ${relation}_usual as usual
            where not (${after})
        )`;
}

/** All that the day's entities did until then, and what they did after it: of one after the other as the lot falls. */
function career({ relation, onDay, after, size }: Facts, entity: string, seed: number): string {
    return `(
        select slice_row
        from ${relation}
        inner join (
            select ${entity}, row_number() over (order by hash(hash(${entity}, ${seed})), ${entity}) as entity_place
            from (select distinct ${entity} from ${relation} where ${onDay} and ${entity} is not null)
        ) using (${entity})
        order by ${after}, entity_place, abs(slice_place - (select max(slice_place) from ${relation} where ${onDay})), slice_row
        limit ${Math.round(size * shares.careers)}
    )`;
}

/** Rows of events that stand for their kinds: first those of who takes part on the day and soon after. */
function rowsOfEvents({ group, relation, before, own, lot }: Facts, places: string): string {
    const { history, whole } = sliceTables(group);
    const keys = group.keys.map(quoteName).join(", ");
    const soon = `(
        select * from ${relation} semi join (select slice_place from ${history} semi join ${whole} using (${keys})) using (slice_place)
        where not (${before})
    )`;
    const known = own.map((name) => `(${name} in (select ${name} from ${soon}))::integer`);
    return `
        select slice_row from ${relation} semi join (${places}) using (slice_place)
        qualify row_number() over (partition by slice_place order by ${known.join(" + ")} desc, ${lot}) <= ${rowsOfKind}`;
}

/**
 * Of every value of the day, and of an attribute that has not too many of them every one, the rows next to the day, and
 * one before and after it with the lowest outcome: where all have lost, nothing tells whether one was looked at. Of the
 * rarest all.
 */
async function rowsOfValues(
    { scratch, relation, before, onDay, after, own, lot, outcome, size }: Facts,
    shared: readonly string[],
): Promise<readonly string[]> {
    const counts = own.map((name) => `approx_count_distinct(${name}) as ${name}`);
    const [count] = await scratch.rows(`select ${counts.join(", ")} from ${relation}`);
    const few = own.filter((name) => Number(count![name]) <= fewValues.one * size);
    const lowest = outcome
        ? [before, after].map(
              (where) => `, arg_min(slice_row, ${outcome} + ${lot}, 1) filter (where ${where})`,
          )
        : [];
    return [
        ...shared.map(
            (name) => `
            select unnest(arg_max(slice_row, slice_place + ${lot}, ${rowsOfValue})) as slice_row
            from ${relation}
            where ${before} and ${name} in (select ${name} from ${relation} where ${onDay})
            group by ${name}`,
        ),
        `select unnest(list_concat(
            arg_max(slice_row, slice_place + ${lot}, 2) filter (where ${before}),
            arg_min(slice_row, slice_place + ${lot}, 1) filter (where ${after})${lowest.join("")}
        )) as slice_row
        from ${relation}
        group by grouping sets (${["()", ...few.map((name) => `(${name})`)].join(", ")})`,
        ...few.map(
            (name) => `
            select slice_row from ${relation} semi join (
                select ${name} from ${relation} where ${name} is not null group by ${name}
                qualify sum(count(*)) over (order by count(*), ${name}) <= ${size * shares.rare}
            ) using (${name})`,
        ),
    ];
}

/** What those of `kinds` did next from the day on, so that it can have leaked into them. */
function next({ relation, before, lot }: Facts, entity: string, kinds: string): string {
    return `(
        select arg_min(slice_row, slice_place + ${lot}) as slice_row
        from ${relation} semi join (
            select ${entity} from ${relation} semi join ${kinds} using (slice_row)
        ) using (${entity})
        where not (${before})
        group by ${entity}
    )`;
}

/**
 * By the rows of the day: attributes that tell apart what no earlier one does, as a code does what its name, but for
 * spelling; those of which rows share values; pairs that say more of a row than each of the two; and pairs with an
 * event's entity.
 */
async function attributesOnDay(
    scratch: Warehouse,
    group: SliceGroup,
    all: readonly string[],
    rowsOfDay: string,
) {
    const pairsOf = (names: readonly string[]) =>
        names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as const));
    const counts = [
        ...all.map((name) => `count(distinct ${name}) as ${name}`),
        ...pairsOf(all).map(([one, other]) => `count(distinct (${one}, ${other})) as ${one}_${other}`),
    ];
    const [row] = await scratch.rows(`select count(*) as "all", ${counts.join(", ")} from ${rowsOfDay}`);
    const share = (name: string) => Number(row![name]) / Number(row!.all);
    const own = all.filter(
        (other, at) =>
            !all
                .slice(0, at)
                .some((one) => share(`${one}_${other}`) < 1.25 * Math.min(share(one), share(other))),
    );
    const places = (group.dated.entities ?? []).map(
        (name) => `e_${attributesOf(group.dated, group).indexOf(quoteName(name))}`,
    );
    const many = own.filter((name) => share(name) > 0.1 && share(name) < 0.9);
    return {
        own,
        shared: own.filter((name) => share(name) < 0.9),
        placed: many.flatMap((one) => places.map((other) => [one, other] as const)),
        pairs: pairsOf(own).filter(([one, other]) => {
            const [fewer, more] = [share(one), share(other)].sort((a, b) => a - b) as [number, number];
            return fewer > 0.1 && more < 0.9 && share(`${one}_${other}`) > more;
        }),
    };
}

/** The same of the two of the day that were together most often. */
function deepestPair(
    { relation, onDay, after, size }: Facts,
    [one, other]: readonly [string, string],
): string {
    const pair = `${one}, ${other}`;
    return `(
        select slice_row
        from ${relation} semi join (
            select ${pair}
            from ${relation} semi join (select ${pair} from ${relation} where ${onDay}) using (${pair})
            where not (${after})
            group by ${pair}
            order by count(*) desc, ${pair}
            limit 1
        ) using (${pair})
        where not (${after})
        order by slice_place desc, slice_row
        limit ${sliceDepth(size)}
    )`;
}

/** What two of the day did together before, the fewest times first. */
function rowsOfPair(
    { relation, before, onDay, size }: Facts,
    [one, other]: readonly [string, string],
): string {
    return `(
        select slice_row
        from ${relation} semi join (select ${one}, ${other} from ${relation} where ${onDay}) using (${one}, ${other})
        where ${before}
        order by count(*) over (partition by ${one}, ${other}), slice_place desc, slice_row
        limit ${Math.round(size * shares.pairs)}
    )`;
}

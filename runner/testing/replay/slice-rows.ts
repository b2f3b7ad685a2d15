import { quoteName, quoteText } from "../../names.ts";
import type { Source } from "../../project/project.ts";
import { attributesOf, type SliceGroup, sliceTables } from "./slice-attributes.ts";
import { fewValues, type SlicePlace } from "./slice-events.ts";

/** Rows that are taken of events that are not whole, as shares of a slice's size. */
const shares = {
    /** Of the busiest value of each attribute. */
    depth: 2.5,
    /** Of the entities of a kind. */
    careers: 3,
    /** Of two attributes together. */
    pairs: 0.4,
} as const;

/** How far a slice counts back: so many rows have the day's busiest value of an attribute, if there are as many. */
export const sliceDepth = (size: number) => Math.round(size * shares.depth);

/** Rows of an event that stands for its kind. */
const rowsOfKind = 2;

/** Rows before the day of every value that an attribute has on it. */
const rowsOfValue = 10;

/** A detail as the queries here see it: the view of its rows, and SQL names. */
interface Facts extends SlicePlace {
    readonly group: SliceGroup;
    readonly relation: string;
    readonly source: string;
    /** Columns that lead to a row's event. */
    readonly keys: string;
    readonly t: string;
    /** Attributes of a row, and of its event. */
    readonly own: readonly string[];
    readonly ofEvent: readonly string[];
    readonly entities: readonly string[];
    /** Evenly from 0 to 1: which of several rows that are as good. */
    readonly lot: string;
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
    const { whole, rows } = sliceTables(group);
    const all = await createFacts(place, group, index, ofEvent);
    const { own, shared, pairs, placed } = await attributesOnDay(all);
    const facts = { ...all, own };
    const { relation, keys, entities } = facts;
    const kinds = `${rows(index)}_kinds`;
    const ofKinds = [rowsOfEvents(facts, places), ...(await rowsOfValues(facts, shared))];
    await scratch.execute(`create table ${kinds} as ${ofKinds.join(" union ")}`);
    const queries = [
        `from ${kinds}`,
        await deepest(facts),
        ...entities.flatMap((entity) => [career(facts, entity, seed), next(facts, entity, kinds)]),
        ...pairs.map((pair) => rowsOfPair(facts, pair)),
        ...[...pairs, ...placed].map((pair) => deepestPair(facts, pair)),
    ];
    await scratch.execute(`
        create table ${rows(index)} as
        select slice_row, ${keys}
        from ${relation} semi join (${queries.join(" union ")}) using (slice_row)
        anti join ${whole} using (${keys})`);
}

async function createFacts(
    place: SlicePlace,
    group: SliceGroup,
    index: number,
    ofEvent: readonly string[],
): Promise<Facts> {
    const { base, day, seed } = place;
    const { history, facts } = sliceTables(group);
    const detail = group.details[index] as Source;
    const columns = attributesOf(detail, group);
    const own = columns.map((_, at) => `d_${at}`);
    const keys = group.keys.map(quoteName).join(", ");
    const source = `${base}.sources.${quoteName(detail.name)}`;
    const relation = facts(index);
    await place.scratch.execute(`
        create view ${relation} as
        select
            source.rowid as slice_row,
            ${columns.map((name, at) => `source.${name} as d_${at}, `).join("")}
            event.*
        from ${source} as source
        inner join ${history} as event using (${keys})`);
    return {
        ...place,
        group,
        relation,
        source,
        keys,
        t: quoteText(day),
        own,
        ofEvent,
        entities: (detail.entities ?? []).map((name) => own[columns.indexOf(quoteName(name))]!),
        lot: `hash(hash(slice_row, ${seed})) / 2.0::double ** 64`,
    };
}

/**
 * As far back as a slice counts, the rows with the value that was busiest of those of the day, for each attribute; first
 * those that have more such values in common, the rarer the better, so that few rows are deep in all of them.
 */
async function deepest(facts: Facts): Promise<string> {
    const { scratch, group, relation, t, own, lot, size } = facts;
    // Months pass, and sizes are told apart by the kinds of events.
    const ofEvent = facts.ofEvent.filter((name) => name !== "e_month" && name !== "e_parts");
    const { history } = sliceTables(group);
    const busiest = (name: string, rows: string, from: string) => `(
        select {'value': ${name}, 'rows': ${rows}} from ${from}
        where ${name} in (select ${name} from ${relation} where replay_day = ${t})
        group by ${name} order by ${rows} desc, ${name} limit 1
    ) as ${name}`;
    const usual = [
        ...own.map((name) => busiest(name, "count(*)", relation)),
        ...ofEvent.map((name) => busiest(name, "greatest(1, sum(e_parts))", history)),
    ];
    await scratch.execute(`create table ${relation}_usual as select ${usual.join(", ")}`);
    const isUsual = (name: string) => `facts.${name} = usual.${name}.value`;
    const attributes = [...own, ...ofEvent];
    const score = attributes.map(
        (name) => `case when ${isUsual(name)} then 1.0::double / usual.${name}.rows else 0 end`,
    );
    const depth = sliceDepth(size);
    const lists = attributes.map((name) => `arg_max(slice_row, score, ${depth}) filter (where is_${name})`);
    return `
        select unnest(flatten([${lists.join(", ")}])) as slice_row
        from (
            select
                slice_row,
                ${attributes.map((name) => `${isUsual(name)} as is_${name}, `).join("")}
                ${score.join(" + ")} + 1e-9 * ${lot} as score,
            from ${relation} as facts
            cross join ${relation}_usual as usual
            where replay_day <= ${t}
        )`;
}

/** All that the day's entities did, before and after: of one after the other as the lot falls. */
function career({ relation, t, size }: Facts, entity: string, seed: number): string {
    return `(
        select slice_row
        from ${relation}
        inner join (
            select ${entity}, row_number() over (order by hash(hash(${entity}, ${seed})), ${entity}) as entity_place
            from (select distinct ${entity} from ${relation} where replay_day = ${t} and ${entity} is not null)
        ) using (${entity})
        order by entity_place, abs(slice_place - (select max(slice_place) from ${relation} where replay_day = ${t})), slice_row
        limit ${Math.round(size * shares.careers)}
    )`;
}

/** Rows of events that stand for their kinds: first those of who takes part on the day and soon after. */
function rowsOfEvents({ group, relation, t, own, keys, lot }: Facts, places: string): string {
    const soon = `(select * from ${relation} semi join ${sliceTables(group).whole} using (${keys}) where replay_day >= ${t})`;
    const known = own.map((name) => `(${name} in (select ${name} from ${soon}))::integer`);
    return `
        select slice_row from ${relation} semi join (${places}) using (slice_place)
        qualify row_number() over (partition by slice_place order by ${known.join(" + ")} desc, ${lot}) <= ${rowsOfKind}`;
}

/** Of every value of the day, and of an attribute that has not too many of them every one, the rows next to the day. */
async function rowsOfValues(
    { scratch, relation, t, own, lot, size }: Facts,
    shared: readonly string[],
): Promise<readonly string[]> {
    const counts = own.map((name) => `approx_count_distinct(${name}) as ${name}`);
    const [count] = await scratch.rows(`select ${counts.join(", ")} from ${relation}`);
    const few = own.filter((name) => Number(count![name]) <= fewValues.one * size);
    return [
        ...shared.map(
            (name) => `
            select unnest(arg_max(slice_row, slice_place + ${lot}, ${rowsOfValue})) as slice_row
            from ${relation}
            where replay_day < ${t} and ${name} in (select ${name} from ${relation} where replay_day = ${t})
            group by ${name}`,
        ),
        `select unnest(list_concat(
            arg_max(slice_row, slice_place + ${lot}, 2) filter (where replay_day < ${t}),
            arg_min(slice_row, slice_place + ${lot}, 1) filter (where replay_day > ${t})
        )) as slice_row
        from ${relation}
        group by grouping sets (${["()", ...few.map((name) => `(${name})`)].join(", ")})`,
    ];
}

/** What those of `kinds` did next from the day on, so that it can have leaked into them. */
function next({ relation, t, lot }: Facts, entity: string, kinds: string): string {
    return `(
        select arg_min(slice_row, slice_place + ${lot}) as slice_row
        from ${relation} semi join (
            select ${entity} from ${relation} semi join ${kinds} using (slice_row)
        ) using (${entity})
        where replay_day >= ${t}
        group by ${entity}
    )`;
}

/**
 * By the rows of the day: attributes that tell apart what no earlier one does, as a code does what its name, but for spelling;
 * those of which rows share values; pairs that say more of a row than each of the two; and pairs with an event's entity.
 */
async function attributesOnDay({ scratch, group, relation, t, own: all }: Facts) {
    const pairsOf = (names: readonly string[]) =>
        names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as const));
    const counts = [
        ...all.map((name) => `count(distinct ${name}) as ${name}`),
        ...pairsOf(all).map(([one, other]) => `count(distinct (${one}, ${other})) as ${one}_${other}`),
    ];
    const [row] = await scratch.rows(
        `select count(*) as "all", ${counts.join(", ")} from ${relation} where replay_day = ${t}`,
    );
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
function deepestPair({ relation, t, size }: Facts, [one, other]: readonly [string, string]): string {
    const pair = `${one}, ${other}`;
    return `(
        select slice_row
        from ${relation} semi join (
            select ${pair}
            from ${relation} semi join (select ${pair} from ${relation} where replay_day = ${t}) using (${pair})
            where replay_day <= ${t}
            group by ${pair}
            order by count(*) desc, ${pair}
            limit 1
        ) using (${pair})
        where replay_day <= ${t}
        order by slice_place desc, slice_row
        limit ${sliceDepth(size)}
    )`;
}

/** What two of the day did together before, the fewest times first. */
function rowsOfPair({ relation, t, size }: Facts, [one, other]: readonly [string, string]): string {
    return `(
        select slice_row
        from ${relation} semi join (select ${one}, ${other} from ${relation} where replay_day = ${t}) using (${one}, ${other})
        where replay_day < ${t}
        order by count(*) over (partition by ${one}, ${other}), slice_place desc, slice_row
        limit ${Math.round(size * shares.pairs)}
    )`;
}

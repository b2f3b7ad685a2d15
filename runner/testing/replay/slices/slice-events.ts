import { quoteName, quoteText } from "../../../names.ts";
import type { Warehouse } from "../../../warehouse/types.ts";
import { datedEvents } from "../events.ts";
import { attributesOf, type SliceGroup, sliceTables } from "./slice-attributes.ts";

export interface SlicePlace {
    readonly scratch: Warehouse;
    /** Quoted catalog of the full build. */
    readonly base: string;
    /** ISO. */
    readonly day: string;
    /** What all shares of a slice are of, in events. */
    readonly size: number;
    readonly seed: number;
}

/**
 * Of a slice's size, the events that are taken whole: of the days before, of the day's entities among them, and after.
 */
const shares = { before: 0.3, entities: 0.1, after: 0.1 } as const;

/** Makes the table of all events: `replay_day`, `slice_place`, and `e_<index>` for everything that tells them apart. */
export async function createHistory(
    { scratch, base }: SlicePlace,
    group: SliceGroup,
): Promise<readonly string[]> {
    const attributes = attributesOf(group.dated, group).map((name, index) => `min(${name}) as e_${index}`);
    const list = group.keys.map(quoteName).join(", ");
    const named = attributes.map((_, index) => `e_${index}`);
    const [detail] = group.details;
    const parts =
        detail &&
        `(select ${list}, count(*) as e_parts from ${base}.sources.${quoteName(detail.name)} group by all)`;
    await scratch.execute(`
        create table ${sliceTables(group).history} as
        select
            ${list}, replay_day, ${named.map((name) => `${name}, `).join("")}
            year(replay_day) * 12 + month(replay_day) as e_month,
            dayofweek(replay_day) as e_weekday,
            ${parts ? "coalesce(e_parts, 0)" : "0"} as e_parts,
            (row_number() over (order by replay_day, ${list}))::integer as slice_place,
        from (${datedEvents(group, base, attributes)})
        ${parts ? `left join ${parts} using (${list})` : ""}`);
    return [...named, "e_month", "e_weekday", "e_parts"];
}

/** All events of the day, those of the days around it, some of its entities, and of every size of an event some. */
export async function createWholeEvents(
    { scratch, base, day, size, seed }: SlicePlace,
    group: SliceGroup,
): Promise<void> {
    const { history, whole } = sliceTables(group);
    const list = group.keys.map(quoteName).join(", ");
    const t = quoteText(day);
    const after = Math.round(size * shares.after);
    const entities = group.dated.entities ?? [];
    const each = Math.round((size * shares.entities) / Math.max(1, entities.length));
    const histories = entities.map((column) => {
        const entity = quoteName(column);
        const rows = `${base}.sources.${quoteName(group.dated.name)}`;
        return `(
            select ${list}
            from ${rows}
            inner join (
                select ${entity}, row_number() over (order by hash(hash(${entity}, ${seed})), ${entity}) as entity_place
                from (select distinct ${entity} from ${rows} semi join on_day using (${list}) where ${entity} is not null)
            ) using (${entity})
            inner join ${history} using (${list})
            group by ${list}, replay_day
            order by min(entity_place), abs(replay_day - ${t}::date), ${list}
            limit ${each}
        )`;
    });
    await scratch.execute(`
        create table ${whole} as
        with on_day as (select ${list} from ${history} where replay_day = ${t}),
        histories as (select distinct ${list} from (${histories.join(" union all ") || "from on_day"})),
        others as (select * from ${history} anti join on_day using (${list}) anti join histories using (${list})),
        sizes as (
            select unnest(list_concat(
                arg_max(slice_place, slice_place, 2) filter (where replay_day < ${t}),
                arg_min(slice_place, slice_place, 1) filter (where replay_day > ${t})
            )) as slice_place
            from ${history} group by e_parts
        ),
        before as (
            select ${list} from others where replay_day < ${t}
            order by slice_place desc
            limit greatest(0, ${Math.round(size * shares.before)} - (select count(*) from histories))
        ),
        after as (select ${list} from others where replay_day > ${t} order by slice_place limit ${after})
        from on_day union from histories union (select ${list} from ${history} semi join sizes using (slice_place))
        union from before union from after`);
}

/**
 * As shares of a slice's size, how many values one attribute may have, or two together, to make kinds: entities have
 * more.
 */
export const fewValues = { one: 0.6, two: 0.1 } as const;

/** SQL of a query of `slice_place`: of everything that events may be taken together by, the ones next to the day. */
export async function placesOfEachKind(
    { scratch, day, size }: SlicePlace,
    group: SliceGroup,
    attributes: readonly string[],
): Promise<string> {
    const { history } = sliceTables(group);
    const countValues = async (kinds: readonly (readonly string[])[]) => {
        if (kinds.length === 0) return [];
        const counts = kinds.map(
            (kind, index) => `approx_count_distinct(hash(${kind.join(", ")})) as kind_${index}`,
        );
        const [row] = await scratch.rows(`select ${counts.join(", ")} from ${history}`);
        return kinds.map((kind, index) => ({ kind, values: Number(row![`kind_${index}`]) }));
    };
    const ofOne = await countValues(attributes.map((one) => [one]));
    const fewer = (counts: typeof ofOne, share: number) =>
        counts.filter(({ values }) => values <= share * size).map(({ kind }) => kind);
    // Two have no fewer values together than each of them.
    const names = fewer(ofOne, fewValues.two).flat();
    const ofTwo = await countValues(
        names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other])),
    );
    const t = quoteText(day);
    const nearest = (sets: readonly (readonly string[])[], before: number, after: number) =>
        sets.length === 0
            ? []
            : [
                  `select unnest(list_concat(
                      arg_max(slice_place, slice_place, ${before}) filter (where replay_day < ${t}),
                      arg_min(slice_place, slice_place, ${after}) filter (where replay_day > ${t})
                  )) as slice_place
                  from ${history}
                  group by grouping sets (${sets.map((set) => `(${set.join(", ")})`).join(", ")})`,
              ];
    const queries = [
        ...nearest(fewer(ofOne, fewValues.one), 2, 1),
        ...nearest(fewer(ofTwo, fewValues.two), 1, 1),
    ];
    return queries.map((query) => `(${query})`).join(" union ") || "select 0 as slice_place where false";
}

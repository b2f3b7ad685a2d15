import { quoteName, quoteText } from "../../names.ts";
import type { SourceColumn } from "../../project/project.ts";
import { isKnownBefore, joinOn } from "../replay/world.ts";
import type { Probe } from "./probes.ts";
import { type Frame, touchedTable } from "./touch-events.ts";

/** How rows of a source are found from rows of a model: by all of its keys, or by its event. */
type Link = "row" | "event";

function linkOf({ source }: Probe, { grain }: Frame): Link {
    const names = new Set(source.columns.map(({ name }) => name));
    return grain.every((name) => names.has(name)) && grain.length > 1 ? "row" : "event";
}

/** Values taken from elsewhere in the column: as plausible as any, and the same in every run. */
const candidates = 24;

/**
 * The source with other values in the probe's columns, in the rows that are touched: every other one gets a value of
 * another row, the rest NULL where that is allowed. A probe of rows takes them out.
 */
export function perturbedSource(probe: Probe, frame: Frame, catalog: string): string {
    const { source, columns } = probe;
    const relation = `${catalog}.sources.${quoteName(source.name)}`;
    const link = linkOf(probe, frame);
    const keys = link === "row" ? frame.grain : [frame.event];
    const touched = `select distinct ${keys.map(quoteName).join(", ")}, true as is_touched from ${catalog}.${touchedTable} where is_touched`;
    if (columns.length === 0) {
        return `
            select source.* from ${relation} as source
            left join (${touched}) as touched on ${joinOn(keys, "source", "touched")}
            where touched.is_touched is null`;
    }
    const pools = columns.map(
        (column, at) => `
        pool_${at} as (
            select coalesce(list(value order by place), []) as others
            from (
                select value, hash(value) as place
                from (select distinct ${quoteName(column.name)} as value from ${relation} as source where ${isPlausible(column)})
                order by place limit ${candidates}
            )
        )`,
    );
    const changed = columns.map((column, at) => `${newValue(column, at)} as ${quoteName(column.name)}`);
    return `
        with ${pools.join(", ")},
        touched as (${touched}),
        numbered as (
            select source.*, hash(source) as replay_hash,
                touched.is_touched as replay_touched
            from ${relation} as source
            left join touched on ${joinOn(keys, "source", "touched")}
        )
        select source.* exclude (replay_hash, replay_touched) replace (${changed.join(", ")})
        from numbered as source
        cross join ${columns.map((_, at) => `pool_${at}`).join(" cross join ")}`;
}

function isPlausible(column: SourceColumn): string {
    const name = `source.${quoteName(column.name)}`;
    const settled =
        column.knownBeforeValues.length > 0 ? ` and not (${isKnownBefore(column, "source")})` : "";
    return `${name} is not null${settled}`;
}

function newValue(column: SourceColumn, at: number): string {
    const old = `source.${quoteName(column.name)}`;
    const others = `list_filter(pool_${at}.others, lambda other: other <> ${old} or ${old} is null)`;
    const other = `${others}[1 + (source.replay_hash % greatest(len(${others}), 1)::ubigint)::bigint]`;
    const settled =
        column.knownBeforeValues.length > 0
            ? `when coalesce(${isKnownBefore(column, "source")}, false) then ${old}`
            : "";
    const emptied = column.nullable ? `when source.replay_hash % 2 = 0 and ${old} is not null then null` : "";
    return `case when source.replay_touched is null then ${old} ${settled} ${emptied} else coalesce(${other}, ${column.nullable ? "null" : old}) end`;
}

/**
 * SQL of the scope in which a row of `relation` stands to what was changed; `whole` where its own row was changed and
 * the others of its event as well.
 */
export function scopeOf(probe: Probe, frame: Frame, day: string, relation: string): string {
    const date = `${relation}.${quoteName(frame.asOf)}::date`;
    const link = linkOf(probe, frame);
    const onDay =
        link === "event"
            ? "case when touched.kind in ('single', 'whole') then 'own' else 'day' end"
            : `case
                when touched.kind = 'none' then 'day'
                when touched.kind = 'single' and touched.is_touched then 'own'
                when touched.kind = 'single' then 'event'
                when touched.kind = 'whole' then 'whole'
                else 'day'
            end`;
    return `case
        when ${date} > ${quoteText(day)} then 'earlier'
        when ${date} < ${quoteText(day)} then 'later'
        else ${onDay}
    end`;
}

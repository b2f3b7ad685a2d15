import { quoteName } from "../../../names.ts";
import type { Source } from "../../../project/project.ts";
import { type ClockedSource, type EventGroup, outcomeColumns } from "../clocks.ts";

/** A group of sources as a slice takes rows from it. */
export interface SliceGroup extends EventGroup {
    /** Sources of which it takes single rows: they say before an event who takes part. Without any, the events' own. */
    readonly details: readonly Source[];
    /** Tables of outcomes: theirs are the rows that go with those of the details. */
    readonly outcomes: readonly Source[];
}

export function sliceGroups(clocked: readonly ClockedSource[]): readonly SliceGroup[] {
    return [...new Set(clocked.map(({ group }) => group))].map((group) => {
        const others = clocked.filter((one) => one.group === group && one.source !== group.dated);
        const sources = others.map(({ source }) => source);
        const details = sources.filter(({ known }) => known !== "after");
        return {
            ...group,
            details: details.length > 0 ? details : [group.dated],
            outcomes: sources.filter(({ known }) => known === "after"),
        };
    });
}

/** Quoted columns that are known before and mean something: by any of them a model may take rows together. */
export function attributesOf(source: Source, { keys, dateColumn, dated }: EventGroup): readonly string[] {
    const isLeft = new Set([
        ...keys,
        ...source.primaryKey,
        ...(source === dated ? [dateColumn] : []),
        ...outcomeColumns(source).map(({ name }) => name),
    ]);
    return source.columns
        .filter(({ name, surrogate, version }) => !surrogate && !version && !isLeft.has(name))
        .map(({ name }) => quoteName(name));
}

/** The tables of a group in the scratch database of a slice. */
export function sliceTables({ table }: EventGroup) {
    return {
        /** Every event of the history with its day, its place in the order of days, and what tells it apart. */
        history: `slice.${table}_history`,
        /** Events of which every row is taken. */
        whole: `slice.${table}_whole`,
        /** Events of which some row is taken. */
        events: `slice.${table}`,
        /** Every row of a detail, with what tells it apart. */
        facts: (index: number) => `slice.${table}_facts_${index}`,
        /** Rows of a detail that are taken of events that are not whole. */
        rows: (index: number) => `slice.${table}_rows_${index}`,
    };
}

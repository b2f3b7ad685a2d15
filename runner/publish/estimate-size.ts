import type { PublishedTable } from "./published.ts";
import type { Survey } from "./survey.ts";

/** Bytes of a value and where it may begin, by Postgres type. */
const widths: Readonly<Record<string, readonly [width: number, alignment: number]>> = {
    boolean: [1, 1],
    smallint: [2, 2],
    integer: [4, 4],
    real: [4, 4],
    date: [4, 4],
    bigint: [8, 8],
    "double precision": [8, 8],
    "time without time zone": [8, 8],
    "timestamp without time zone": [8, 8],
    "timestamp with time zone": [8, 8],
    interval: [16, 8],
    uuid: [16, 1],
};

const page = { bytes: 8192, header: 24 };
/** Header of a row with its entry in the page; of an index entry likewise. */
const overhead = { row: 24 + 4, entry: 8 + 4 };
/** A B-tree fills its pages so far. */
const leafFill = 0.9;

/**
 * What a table will take in Postgres with its indexes, before anything of it is there: rows as Postgres lays them out,
 * by the number of values of each column and the bytes of its texts. Long texts, which Postgres compresses, are
 * overestimated, and so are indexes of which many rows share a key.
 */
export function estimateSize(table: PublishedTable, survey: Survey): number {
    const { rows } = survey;
    if (rows === 0) return 0;
    let width = overhead.row;
    if ([...survey.valueCounts.values()].some((count) => count < rows))
        width += align(table.columns.length / 8 - 1, 8);
    let place = 0;
    const means = new Map<string, number>();
    for (const { name, postgresType } of table.columns) {
        const [bytes, alignment] = layout(postgresType, name, survey);
        const start = align(place, alignment);
        const share = (survey.valueCounts.get(name) ?? rows) / rows;
        width += (start - place + bytes) * share;
        place = start + bytes;
        means.set(name, bytes);
    }
    const keys = [table.primaryKey, ...table.indexes.map(({ columns }) => columns)];
    const entries = keys
        .filter((columns) => columns.length > 0)
        .map((columns) => columns.reduce((sum, name) => sum + (means.get(name) ?? 0), overhead.entry));
    const indexes = entries.reduce((sum, entry) => sum + (rows * align(entry, 8)) / leafFill, 0);
    return inPages(rows, align(width, 8)) + indexes;
}

/** Whole rows in pages; those too wide for a few of them a page go elsewhere in part. */
function inPages(rows: number, width: number): number {
    const perPage = Math.max((page.bytes - page.header) / width, 1);
    return width > page.bytes / 4 ? rows * width : (rows / Math.floor(perPage)) * page.bytes;
}

function layout(type: string, name: string, { sizes, valueCounts }: Survey): readonly [number, number] {
    const fixed = widths[type];
    if (fixed) return fixed;
    // Four digits in two bytes, after a header.
    const precision = /^numeric\((\d+)/.exec(type)?.[1];
    if (precision) return [3 + Math.ceil(Number(precision) / 4), 1];
    const mean = (sizes.get(name) ?? 0) / Math.max(valueCounts.get(name) ?? 0, 1);
    if (!type.endsWith("[]")) return mean < 127 ? [mean + 1, 1] : [mean + 4, 4];
    const [element] = widths[type.slice(0, -2)] ?? [16];
    return [24 + mean * element, 4];
}

function align(place: number, alignment: number): number {
    return Math.ceil(place / alignment) * alignment;
}

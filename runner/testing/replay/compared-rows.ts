import type { CompiledModel } from "../../compile/compiled.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { ColumnType } from "../../warehouse/types.ts";

/** Tier of columns that are outcomes of the row's own event. */
const labelTier = "label";

/** What is compared of a model: rows of the days before T in full, those of T itself as far as they may be known. */
export interface Compared {
    readonly model: CompiledModel;
    /** SQL of a row's day. */
    readonly day: string;
    /** All but surrogates. */
    readonly before: readonly ColumnType[];
    /** Of these, no labels, and with a partner only those that it has, too. */
    readonly onDay: readonly ColumnType[];
    /** The model in which its rows stand until their outcomes are known: on T, the rows of both are taken together. */
    readonly partner?: string;
    /** Rows move from this model to another one, where those of T are compared. */
    readonly isLeft: boolean;
}

export function comparedRows(
    model: CompiledModel,
    columns: readonly ColumnType[],
    partnerColumns: readonly ColumnType[] | undefined,
    isLeft: boolean,
): Compared {
    const { asOf, movesFrom, columns: declared } = model.config;
    const facts = new Map(declared.map((column) => [column.name, column]));
    const before = columns.filter(({ name }) => !facts.get(name)?.surrogate);
    const onDay = before
        .filter(({ name }) => facts.get(name)?.tier !== labelTier)
        .filter(({ name }) => !partnerColumns || partnerColumns.some((column) => column.name === name));
    return {
        model,
        day: `${quoteName(asOf!)}::date`,
        before,
        onDay,
        ...(movesFrom !== undefined && { partner: movesFrom }),
        isLeft,
    };
}

/** Rows of T, or those of earlier days and of none, as SQL over a model's columns. */
export const isBefore = ({ day }: Compared, t: string) => `coalesce(${day} < ${quoteText(t)}, true)`;
export const isOnDay = ({ day }: Compared, t: string) => `${day} = ${quoteText(t)}`;

/** SQL of a row's hash. An enum's own is that of its index, which says nothing where it has other values. */
export function rowHash(columns: readonly ColumnType[]): string {
    const hashed = columns.map(({ name, type }) =>
        /\bENUM\(/.test(type) ? `${quoteName(name)}::varchar` : quoteName(name),
    );
    return `hash(${hashed.join(", ") || "null"})`;
}

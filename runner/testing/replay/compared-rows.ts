import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
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
    /** Of these, no labels; where rows move from one model to another, what both of them have. */
    readonly onDay: readonly ColumnType[];
    /** The model in which its rows stand until their outcomes are known: on T, the rows of both are taken together. */
    readonly partner?: Compared;
    /** Rows move from this model to another one, where those of T are compared. */
    readonly isLeft: boolean;
}

type ColumnsOf = (model: string) => Promise<readonly ColumnType[]>;

export async function comparedRows(
    model: CompiledModel,
    { nodes }: CompiledProject,
    columnsOf: ColumnsOf,
): Promise<Compared> {
    const { asOf, movesFrom } = model.config;
    const before = keptColumns(model, await columnsOf(model.name));
    const day = `${quoteName(asOf!)}::date`;
    const from = movesFrom === undefined ? undefined : (nodes.get(movesFrom) as CompiledModel);
    const to = [...nodes.values()].find(
        (node) => node.kind === "model" && node.config.movesFrom === model.name,
    ) as CompiledModel | undefined;
    const onDay = await columnsOnDay(to ?? model, to ? model : from, columnsOf);
    const own = { model, day, before, onDay, isLeft: to !== undefined };
    if (!from) return own;
    const left = keptColumns(from, await columnsOf(from.name));
    return { ...own, partner: { model: from, day, before: left, onDay, isLeft: true } };
}

function keptColumns({ config }: CompiledModel, columns: readonly ColumnType[]): readonly ColumnType[] {
    const surrogates = new Set(config.columns.filter(({ surrogate }) => surrogate).map(({ name }) => name));
    return columns.filter(({ name }) => !surrogates.has(name));
}

async function columnsOnDay(
    model: CompiledModel,
    partner: CompiledModel | undefined,
    columnsOf: ColumnsOf,
): Promise<readonly ColumnType[]> {
    const labels = new Set(
        model.config.columns.filter(({ tier }) => tier === labelTier).map(({ name }) => name),
    );
    const shared = partner && new Set((await columnsOf(partner.name)).map(({ name }) => name));
    return keptColumns(model, await columnsOf(model.name)).filter(
        ({ name }) => !labels.has(name) && (!shared || shared.has(name)),
    );
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

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

/** A column as a family's yml declares it. */
export type DictionaryColumn = Readonly<Record<string, unknown>>;

/** One column of the joiner: which family it comes from, and under which name. */
export interface JoinedColumn {
    readonly family: string;
    readonly name: string;
}

/** Columns in the order in which models/marts/race_dataset.sql selects them. */
export function joinedColumns(root: string): readonly JoinedColumn[] {
    const sql = readFileSync(join(root, "models/marts/race_dataset.sql"), "utf8");
    return [...sql.matchAll(/^ {8}(\w+)\.(\w+),$/gm)].map(([, family, name]) => ({
        family: family ?? "",
        name: name ?? "",
    }));
}

/** Names of the families that the joiner reads. */
export function joinedFamilies(root: string): readonly string[] {
    return [...new Set(joinedColumns(root).map(({ family }) => family))];
}

const parsed = new Map<string, ReadonlyMap<string, DictionaryColumn>>();

/** Columns of a feature model, from its yml. */
export function familyColumns(root: string, family: string): ReadonlyMap<string, DictionaryColumn> {
    return modelColumns(root, `features/${family}`);
}

function modelColumns(root: string, model: string): ReadonlyMap<string, DictionaryColumn> {
    const file = join(root, `models/${model}.yml`);
    const known = parsed.get(file);
    if (known) return known;
    const { columns } = parse(readFileSync(file, "utf8")) as { columns: Record<string, DictionaryColumn> };
    const columnsByName = new Map(Object.entries(columns));
    parsed.set(file, columnsByName);
    return columnsByName;
}

/**
 * The yml of a mart: what its file says above `columns:`, then every column exactly as its family documents it, then
 * the labels. A column that was described twice would drift.
 */
export function martYml(root: string, mart: string, options: { readonly labels: boolean }): string {
    const text = readFileSync(join(root, `models/marts/${mart}.yml`), "utf8");
    const head = text.slice(0, text.indexOf("columns:"));
    const features = joinedColumns(root)
        .filter(({ name }) => name !== "runner_id")
        .map(({ family, name }): [string, DictionaryColumn] => {
            const column = familyColumns(root, family).get(name);
            if (!column) throw new Error(`models/features/${family}.yml does not describe ${name}`);
            return [name, untested(column)];
        });
    const labels = options.labels ? [...labelColumns(root)] : [];
    const columns = Object.fromEntries([...features, ...labels]);
    return `${head}${stringify({ columns }, { indent: 4, lineWidth: 0, flowCollectionPadding: false })}`;
}

/** Labels of the training dataset: outcomes as models/base/runners.yml describes them. */
function labelColumns(root: string): ReadonlyMap<string, DictionaryColumn> {
    const columns = modelColumns(root, "base/runners");
    const named = [
        ["final_position", "position"],
        ["finish_status", "finish_status"],
        ["margin", "margin"],
        ["raw_time_seconds", "raw_time_seconds"],
        ["is_win", "is_win"],
        ["is_place", "is_place"],
        ["beat_pct", "beat_pct"],
    ] as const;
    return new Map(
        named.map(([label, column]) => [label, untested({ ...columns.get(column), tier: "label" })]),
    );
}

/** Tests run where a column is made; a mart does not repeat them. */
function untested(column: DictionaryColumn): DictionaryColumn {
    return Object.fromEntries(Object.entries(column).filter(([key]) => key !== "tests"));
}

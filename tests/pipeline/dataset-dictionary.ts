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

/** Features in the order in which models/marts/race_dataset.sql selects them. */
export function joinedColumns(root: string): readonly JoinedColumn[] {
    return readJoiner(root)
        .features.split("\n")
        .flatMap((line) => {
            // Families without a table of their own are partials: all of their columns stand here.
            const partial = /^ {8}\{\{> (\w+)\}\}$/.exec(line)?.[1];
            if (partial !== undefined)
                return featureNames(root, partial).map((name) => ({ family: partial, name }));
            // Made here as a view makes it, which is named behind it: through the view, reading all took 1.4 s, not
            // 0.8.
            const made = /^ {8}\S.* as (\w+), \{\{!-- (\w+) --\}\}$/.exec(line);
            if (made) return [{ family: made[2]!, name: made[1]! }];
            return selected(line).map(({ family, column }) => ({ family, name: column }));
        });
}

/** Columns of a family that every family has, and no feature. */
export const familyKeys: ReadonlySet<string> = new Set(["runner_id", "race_id", "race_date"]);

/** In the order in which the family's yml describes them. */
export function featureNames(root: string, family: string): readonly string[] {
    return [...familyColumns(root, family).keys()].filter((name) => !familyKeys.has(name));
}

/** The joiner has its outcomes last, from has_run on, which only says which of the two datasets a row goes into. */
function readJoiner(root: string): { readonly features: string; readonly labels: string } {
    const sql = readFileSync(join(root, "models/marts/race_dataset.sql"), "utf8");
    const [features, labels] = sql.split("runners.has_run,");
    if (labels === undefined)
        throw new Error("models/marts/race_dataset.sql does not select runners.has_run");
    return { features: features ?? "", labels };
}

function selected(
    sql: string,
): readonly { readonly family: string; readonly column: string; readonly alias: string }[] {
    return [...sql.matchAll(/^ {8}(\w+)\.(\w+)(?: as (\w+))?,$/gm)].map(
        ([, family = "", column = "", alias = column]) => ({ family, column, alias }),
    );
}

/** Names of the families that the joiner reads. */
export function joinedFamilies(root: string): readonly string[] {
    return [...new Set(joinedColumns(root).map(({ family }) => family))];
}

const parsed = new Map<string, ReadonlyMap<string, DictionaryColumn>>();

/** Families are feature models; what the card says stands in two models of base, of which the dataset takes a part. */
export function isFamily(family: string): boolean {
    return family !== "runners" && family !== "race_facts";
}

/** Columns of a model that the joiner reads, from its yml. */
export function familyColumns(root: string, family: string): ReadonlyMap<string, DictionaryColumn> {
    const file = join(root, `models/${isFamily(family) ? "features" : "base"}/${family}.yml`);
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
            if (!column) throw new Error(`the yml of ${family} does not describe ${name}`);
            return [name, untested(column)];
        });
    const labels = options.labels ? [...labelColumns(root)] : [];
    const columns = Object.fromEntries([...features, ...labels]);
    return `${head}${stringify({ columns }, { indent: 4, lineWidth: 0, flowCollectionPadding: false })}`;
}

/** Labels of the training dataset: outcomes as models/base/runners.yml describes them. */
function labelColumns(root: string): ReadonlyMap<string, DictionaryColumn> {
    return new Map(
        selected(readJoiner(root).labels).map(({ family, column, alias }) => [
            alias,
            untested({ ...familyColumns(root, family).get(column), tier: "label" }),
        ]),
    );
}

/** Tests run where a column is made; a mart does not repeat them. */
function untested(column: DictionaryColumn): DictionaryColumn {
    return Object.fromEntries(Object.entries(column).filter(([key]) => key !== "tests"));
}

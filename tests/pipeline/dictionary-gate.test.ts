import { beforeAll, expect, test } from "vitest";
import type { CompiledModel, CompiledProject } from "../../runner/compile/compiled.ts";
import type { ModelColumn } from "../../runner/project/project.ts";
import { runTests } from "../../runner/testing/run-tests.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { labelNames, listedNames } from "./dataset-names.ts";
import { withTinyWorld } from "./tiny-world.ts";

const dataset = "race_training_dataset";
const published = (compiled: CompiledProject) =>
    [...compiled.nodes.values()].filter(
        (node): node is CompiledModel => node.kind === "model" && node.config.tags.includes("publish"),
    );

/** What `rebuild test` says of the dataset's contract when its yml had these columns. */
async function contract(
    warehouse: Warehouse,
    compiled: CompiledProject,
    change: (columns: readonly ModelColumn[]) => readonly ModelColumn[],
) {
    const node = compiled.nodes.get(dataset) as CompiledModel;
    const config = { ...node.config, columns: change(node.config.columns) };
    const nodes = new Map([...compiled.nodes, [dataset, { ...node, config }]]);
    const [result] = await runTests({
        warehouse,
        compiled: { ...compiled, nodes },
        names: new Set([dataset]),
        report: () => undefined,
        signal: new AbortController().signal,
    });
    expect(result?.name).toBe(`${dataset}.contract`);
    return result!;
}

let verdicts: Readonly<Record<string, Awaited<ReturnType<typeof contract>>>>;
let gaps: readonly string[];
let columns: readonly string[];
/** Of each published table, in a world without a single source row. */
let tables: ReadonlyMap<string, { readonly names: readonly string[]; readonly rows: bigint }>;

beforeAll(() =>
    withTinyWorld({}, ["*"], async (warehouse, compiled) => {
        const told = (change: Parameters<typeof contract>[2]) => contract(warehouse, compiled, change);
        verdicts = {
            asIs: await told((columns) => columns),
            undeclared: await told((columns) => columns.filter(({ name }) => name !== "horse_elo")),
            missing: await told((columns) => [
                ...columns,
                { name: "horse_ello", type: "float", description: "", tests: [] },
            ]),
            renamed: await told((columns) =>
                columns.map((column) =>
                    column.name === "win_odds" ? { ...column, name: "win_price" } : column,
                ),
            ),
            retyped: await told((columns) =>
                columns.map((column) => (column.name === "wins" ? { ...column, type: "integer" } : column)),
            ),
        };
        tables = new Map(
            await Promise.all(
                published(compiled)
                    .filter(({ config }) => config.materialized !== "postgres_materialized_view")
                    .map(async ({ name }) => {
                        const names = (await warehouse.describe(`select * from ${name}`)).map(
                            (one) => one.name,
                        );
                        const [found] = await warehouse.rows(`select count(*) as rows from ${name}`);
                        return [name, { names, rows: found!.rows as bigint }] as const;
                    }),
            ),
        );
        columns = (compiled.nodes.get(dataset) as CompiledModel).config.columns.map(({ name }) => name);
        gaps = published(compiled).flatMap(({ name, config }) =>
            config.columns.flatMap((column) => {
                const isNumber = /int|float|double|decimal/.test(column.type ?? "") && column.tier !== "key";
                const missing = [
                    ...(["type", "description", "tier", "unit", "nullPolicy"] as const).filter(
                        (key) => !column[key],
                    ),
                    ...(isNumber && !column.range ? ["range"] : []),
                ];
                return missing.length > 0 ? [`${name}.${column.name}: ${missing.join(", ")}`] : [];
            }),
        );
    }),
);

test("the yml of the dataset is that of its table", () => {
    expect(verdicts.asIs).toMatchObject({ status: "success" });
});

test.each([
    ["undeclared", "horse_elo (float) is not declared"],
    ["missing", "horse_ello is declared, but missing from the table (there is horse_elo"],
    ["renamed", "win_price is declared, but missing from the table"],
    ["renamed", "win_odds (double) is not declared"],
    ["retyped", "wins is declared as integer, but is usmallint"],
])("a column that is %s fails the tests, and is named", (kind, message) => {
    expect(verdicts[kind]).toMatchObject({ status: "failed" });
    expect(verdicts[kind]!.message).toContain(message);
});

/** Rates over a fixed number of latest starts, and shares of runs, which are no chances of winning. */
const unshrunk =
    /^(?:last_\d+|jockey_last_\d+|trainer_last_\d+)_|^(?:fader|closer|front|past_favorite)_rate$|_x_/;

test("every rate of few starts stands beside one that is drawn towards its prior", () => {
    const names = new Set(columns);
    const rates = columns.filter((name) =>
        /_(?:win|place)_rate(?:_\d+d)?$|^(?:win|place)_percentage$/.test(name),
    );
    const alone = rates.filter((name) => !unshrunk.test(name) && !names.has(`${name}_shrunk`));
    expect(rates.length).toBeGreaterThan(40);
    expect(alone).toEqual([]);
});

test("every published column says type, meaning, tier, unit, what NULL means, and, a number, its range", () => {
    expect(gaps).toEqual([]);
});

test("without a single source row every model is built, empty, with the columns that programs read", () => {
    expect([...tables.values()].map(({ rows }) => rows)).toEqual([...tables].map(() => 0n));
    expect([...tables.keys()].sort()).toEqual([
        "horse_form_state",
        "jockey_form_state",
        "jockey_horse_connection_state",
        "jockey_trainer_connection_state",
        "race_training_dataset",
        "race_upcoming_dataset",
        "trainer_form_state",
    ]);
    const training = tables.get(dataset)!.names;
    for (const [family, listed] of Object.entries(listedNames)) {
        const missing = listed
            .trim()
            .split(/\s+/)
            .filter((name) => !training.includes(name));
        expect([family, missing]).toEqual([family, []]);
    }
    expect(training.slice(-labelNames.length)).toEqual(labelNames);
    expect(tables.get("race_upcoming_dataset")!.names).toEqual(training.slice(0, -labelNames.length));
    const keys = training.filter((name) => /_id$|_slug$|_name$|^race_date$/.test(name));
    expect(training.length - labelNames.length - keys.length).toBeGreaterThanOrEqual(220);
});

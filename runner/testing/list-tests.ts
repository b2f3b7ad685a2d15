import type { CompiledAssertion, CompiledModel, CompiledProject, CompiledSeed } from "../compile/compiled.ts";
import type { DataTest, ModelColumn, Severity, Tripwires } from "../project/project.ts";

export type Testable = CompiledModel | CompiledSeed;

interface TestBase {
    /** Unique: `career.total_races.not_null`, or the assertion's name. */
    readonly name: string;
    /** The model, seed or assertion it belongs to. */
    readonly node: string;
    readonly severity: Severity;
}

/** A declared or implied test of one model or seed. */
export interface ModelTest extends TestBase {
    readonly type: DataTest["type"];
    readonly column?: string;
    readonly test: DataTest;
}

/** The columns and types that the yml declares, against those of the relation. */
interface ContractTest extends TestBase {
    readonly type: "contract";
}

/** Columns that know the outcome too well: a warning, whatever is found. */
interface TripwireTest extends TestBase {
    readonly type: "tripwires";
    readonly tripwires: Tripwires;
}

interface AssertionTest extends TestBase {
    readonly type: "assertion";
}

export type ListedTest = ModelTest | ContractTest | TripwireTest | AssertionTest;

/** The tests of the named nodes, default all: models and seeds in dependency order, then assertions by name. */
export function listTests(compiled: CompiledProject, names?: ReadonlySet<string>): readonly ListedTest[] {
    const nodes = compiled.order
        .map((name) => compiled.nodes.get(name))
        .filter((node) => node !== undefined)
        .filter((node) => node.kind !== "assertion")
        .filter(isTestable);
    const assertions = [...compiled.nodes.values()]
        .filter((node) => node.kind === "assertion")
        .sort((one, other) => one.name.localeCompare(other.name));
    const tests = [...nodes.flatMap(testsOfNode), ...assertions.map(assertionTest)];
    return names ? tests.filter(({ node }) => names.has(node)) : tests;
}

/** The target's materialized views have no relation in the warehouse to be tested. */
function isTestable(node: Testable): boolean {
    return node.kind === "seed" || node.config.materialized !== "postgres_materialized_view";
}

function assertionTest({ name, severity }: CompiledAssertion): AssertionTest {
    return { name, node: name, type: "assertion", severity };
}

function testsOfNode(node: Testable): readonly ListedTest[] {
    const { config, name } = node;
    const declared = [
        ...config.columns.flatMap((column) => columnTests(column)),
        ...config.tests.map((test): Placed => ({ test })),
    ];
    const tests = withoutRepeats([...declared, ...grainTests(config.grain)]);
    const contract: readonly ContractTest[] =
        config.columns.length > 0 && node.kind === "model"
            ? [{ name: `${name}.contract`, node: name, type: "contract", severity: "error" }]
            : [];
    const { tripwires } = config;
    const wires: readonly TripwireTest[] = tripwires
        ? [{ name: `${name}.tripwires`, node: name, type: "tripwires", severity: "warn", tripwires }]
        : [];
    return [...contract, ...named(name, tests), ...wires];
}

interface Placed {
    readonly test: DataTest;
    readonly column?: string;
}

function columnTests(column: ModelColumn): readonly Placed[] {
    const declared = column.tests.map((test): Placed => ({ test, column: column.name }));
    if (!column.range || declared.some(({ test }) => test.type === "range")) return declared;
    const [min, max] = column.range;
    const test: DataTest = {
        type: "range",
        severity: "error",
        ...(min !== null && { min }),
        ...(max !== null && { max }),
    };
    return [...declared, { test, column: column.name }];
}

/** A grain says that its columns are there and identify a row. */
function grainTests(grain: readonly string[]): readonly Placed[] {
    if (grain.length === 0) return [];
    const [only] = grain;
    const severity = "error" as const;
    return [
        ...grain.map((column): Placed => ({ test: { type: "not_null", severity }, column })),
        grain.length === 1
            ? { test: { type: "unique", severity }, column: only! }
            : { test: { type: "unique_combination", severity, columns: grain } },
    ];
}

/** The first of equal tests stays, so what is declared goes before what is implied. */
function withoutRepeats(tests: readonly Placed[]): readonly Placed[] {
    const seen = new Set<string>();
    return tests.filter(({ test, column }) => {
        const { severity: _, ...what } = test;
        const key = JSON.stringify([column, Object.entries(what).sort()]);
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
    });
}

function named(node: string, tests: readonly Placed[]): readonly ModelTest[] {
    const counts = new Map<string, number>();
    return tests.map(({ test, column }) => {
        const base = [node, column, test.type].filter((part) => part !== undefined).join(".");
        const count = (counts.get(base) ?? 0) + 1;
        counts.set(base, count);
        return {
            name: count === 1 ? base : `${base}_${count}`,
            node,
            type: test.type,
            severity: test.severity,
            ...(column === undefined ? {} : { column }),
            test,
        };
    });
}

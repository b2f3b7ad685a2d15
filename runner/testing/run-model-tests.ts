import type { CompiledProject } from "../compile/compiled.ts";
import { QueryError } from "../errors.ts";
import { nearestNames } from "../names.ts";
import type { Tripwires } from "../project/project.ts";
import type { ColumnType, Warehouse } from "../warehouse/types.ts";
import { checkContract } from "./check-contract.ts";
import { describeFailures } from "./failure-message.ts";
import type { ListedTest, ModelTest, Testable } from "./list-tests.ts";
import { runTripwires } from "./run-tripwires.ts";
import { failureQuery, relationOf, rowCondition } from "./test-query.ts";
import { brokenBy, brokenTest, passed, type Verdict } from "./verdict.ts";

export interface ModelTestRun {
    readonly warehouse: Warehouse;
    readonly compiled: CompiledProject;
    readonly node: Testable;
    readonly tests: readonly ListedTest[];
    readonly tell: (test: ListedTest, verdict: Verdict) => void;
    readonly signal: AbortSignal;
}

/** Tests of one model or seed: its contract, then all that look at single rows in one scan, then the others. */
export async function runModelTests(run: ModelTestRun): Promise<void> {
    const { warehouse, node, tests, tell } = run;
    const columns = await describeRelation(warehouse, node);
    if (columns instanceof QueryError) {
        for (const test of tests) tell(test, brokenTest(missingRelation(node, columns)));
        return;
    }
    const names = columns.map(({ name }) => name);
    const runnable: ModelTest[] = [];
    for (const test of tests) {
        if (test.type === "contract") tell(test, await contractVerdict(warehouse, node, columns));
        else if (test.type === "tripwires") tell(test, await tripwireVerdict(run, test.tripwires, columns));
        else if (test.type !== "assertion") {
            const missing = missingColumn(test, names);
            if (missing === undefined) runnable.push(test);
            else tell(test, brokenTest(missing));
        }
    }
    await scanRows(
        run,
        runnable.filter((test) => rowCondition(test) !== undefined),
    );
    for (const test of runnable) {
        if (rowCondition(test) === undefined) await runQuery(run, test);
    }
}

async function describeRelation(
    warehouse: Warehouse,
    node: Testable,
): Promise<readonly ColumnType[] | QueryError> {
    try {
        return await warehouse.describe(`select * from ${relationOf(node)}`);
    } catch (error) {
        if (error instanceof QueryError) return error;
        throw error;
    }
}

function missingRelation(node: Testable, error: QueryError): string {
    return error.failure.code === "Catalog Error"
        ? `${node.name} is not in the warehouse: build it first, with \`rebuild run --select ${node.name}\``
        : error.message;
}

function missingColumn({ test, column }: ModelTest, names: readonly string[]): string | undefined {
    const wanted = column === undefined ? (test.columns ?? []) : [column];
    // DuckDB's names do not tell upper from lower case.
    const known = new Set(names.map((name) => name.toLowerCase()));
    const missing = wanted.find((name) => !known.has(name.toLowerCase()));
    if (missing === undefined) return undefined;
    const near = nearestNames(missing, names);
    return `there is no column ${missing}${near.length > 0 ? `; did you mean ${near.join(", ")}?` : ""}`;
}

async function contractVerdict(
    warehouse: Warehouse,
    node: Testable,
    columns: readonly ColumnType[],
): Promise<Verdict> {
    const started = performance.now();
    const differences = await checkContract(warehouse, node, columns);
    const seconds = (performance.now() - started) / 1000;
    if (differences.length === 0) return passed(seconds);
    const place = node.kind === "model" ? node.file.replace(/\.\w+$/, ".yml") : node.file;
    const message = [
        `the table and its declaration (${place}) differ:`,
        ...differences.map((line) => `    ${line}`),
    ].join("\n");
    return { failures: differences.length, seconds, message };
}

async function tripwireVerdict(
    { warehouse, node, signal }: ModelTestRun,
    tripwires: Tripwires,
    columns: readonly ColumnType[],
): Promise<Verdict> {
    const names = columns.map(({ name }) => name);
    const missing = Object.values(tripwires).find((name) => !names.includes(name));
    if (missing !== undefined) return brokenTest(`there is no column ${missing} in the table`);
    try {
        return await runTripwires(warehouse, node, tripwires, columns);
    } catch (error) {
        return brokenBy(error, signal);
    }
}

/** All conditions as counts of one scan, so that hundreds of tests read the table once. */
async function scanRows(run: ModelTestRun, tests: readonly ModelTest[]): Promise<void> {
    if (tests.length === 0) return;
    const { warehouse, node, tell, signal } = run;
    const started = performance.now();
    let counts: Readonly<Record<string, unknown>>;
    try {
        // count_if and not `count(*) filter`: 0.2 s against 3.4 s for 440 tests of 220 columns, 300,000 rows.
        const counters = tests.map((test, index) => `count_if(${rowCondition(test)}\n) as test_${index}`);
        const [row] = await warehouse.rows(`select ${counters.join(",\n")}\nfrom ${relationOf(node)}`);
        counts = row!;
    } catch (error) {
        // One bad condition spoils the scan for all: each is run by itself to find out whose it is.
        if (tests.length > 1 && !signal.aborted) {
            for (const test of tests) await scanRows(run, [test]);
        } else {
            for (const test of tests) tell(test, brokenBy(error, signal));
        }
        return;
    }
    const share = (performance.now() - started) / 1000 / tests.length;
    for (const [index, test] of tests.entries()) {
        const failures = Number(counts[`test_${index}`]);
        tell(test, failures === 0 ? passed(share) : await failed(run, test, failures, share));
    }
}

async function runQuery(run: ModelTestRun, test: ModelTest): Promise<void> {
    const { warehouse, compiled, node, tell, signal } = run;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
        const query = failureQuery(compiled, node, test);
        const [row] = await warehouse.rows(`select count(*) as failures from (\n${query}\n)`);
        const failures = Number(row?.failures);
        tell(test, failures === 0 ? passed(seconds()) : await failed(run, test, failures, seconds()));
    } catch (error) {
        tell(test, brokenBy(error, signal, seconds()));
    }
}

async function failed(
    { warehouse, compiled, node }: ModelTestRun,
    test: ModelTest,
    failures: number,
    seconds: number,
): Promise<Verdict> {
    const query = failureQuery(compiled, node, test);
    return {
        failures,
        seconds,
        message: await describeFailures(warehouse, failures, whatFails(test), query),
    };
}

function whatFails({ test, column }: ModelTest): string {
    const condition = test.where === undefined ? "" : ` where ${test.where}`;
    switch (test.type) {
        case "not_null":
            return `${column} is NULL${condition}`;
        case "unique":
            return `values of ${column} that occur more than once${condition}`;
        case "unique_combination":
            return `combinations of ${test.columns?.join(", ")} that occur more than once${condition}`;
        case "accepted_values":
            return `${column} is none of ${test.values?.join(", ")}${condition}`;
        case "range":
            return `${column} is not within ${test.min ?? "any"} to ${test.max ?? "any"}${condition}`;
        case "relationships":
            return `${column} is not among ${test.to}.${test.field}${condition}`;
    }
}

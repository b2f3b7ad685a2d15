import type { CompiledProject } from "../compile/compiled.ts";
import { scrub } from "../secrets.ts";
import type { NodeResult, Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { type ListedTest, listTests } from "./list-tests.ts";
import { runAssertion } from "./run-assertion.ts";
import { runModelTests } from "./run-model-tests.ts";
import { rowCondition } from "./test-query.ts";
import { brokenBy, identity, toResult, type Verdict } from "./verdict.ts";

export interface TestOptions {
    readonly warehouse: Warehouse;
    readonly compiled: CompiledProject;
    /** Models, seeds and assertions whose tests run. */
    readonly names: ReadonlySet<string>;
    readonly report: Report;
    readonly signal: AbortSignal;
    /** Queries side by side; each uses all of DuckDB's threads where it can. Default 4. */
    readonly concurrency?: number;
}

/** Runs the tests of the named nodes. A test that finds rows failed, or warned when it is declared so. */
export async function runTests(options: TestOptions): Promise<readonly NodeResult[]> {
    const { warehouse, compiled, names, report, signal } = options;
    const tests = listTests(compiled, names);
    const total = tests.length;
    const results = new Map<string, NodeResult>();
    let index = 0;

    const runBatch = async (batch: readonly ListedTest[]) => {
        const places = new Map(batch.map((test) => [test.name, ++index]));
        for (const test of batch) {
            report({ type: "node-start", ...identity(test), index: places.get(test.name)!, total });
        }
        const tell = (test: ListedTest, verdict: Verdict) => {
            if (results.has(test.name)) return;
            const { message, ...result } = toResult(test, verdict);
            const scrubbed = message === undefined ? result : { ...result, message: scrub(message) };
            results.set(test.name, scrubbed);
            report({ type: "node-end", result: scrubbed, index: places.get(test.name)!, total });
        };
        const node = compiled.nodes.get(batch[0]!.node)!;
        try {
            if (node.kind === "assertion") tell(batch[0]!, await runAssertion(warehouse, node, signal));
            else await runModelTests({ warehouse, compiled, node, tests: batch, tell, signal });
        } catch (error) {
            for (const test of batch) tell(test, brokenBy(error, signal));
        }
    };

    // An interrupt can be lost between two statements of a batch; lanes look at the signal, too.
    const interrupt = () => warehouse.interrupt();
    signal.addEventListener("abort", interrupt);
    try {
        const waiting = [...batches(tests)];
        const lanes = Array.from({ length: options.concurrency ?? 4 }, async () => {
            for (let batch = waiting.shift(); batch && !signal.aborted; batch = waiting.shift()) {
                await runBatch(batch);
            }
        });
        for (const lane of await Promise.allSettled(lanes)) {
            if (lane.status === "rejected") throw lane.reason;
        }
    } finally {
        signal.removeEventListener("abort", interrupt);
    }
    return tests.map((test) => results.get(test.name) ?? notRun(test));
}

function notRun(test: ListedTest): NodeResult {
    const message = "not run, because the run was interrupted";
    return { ...identity(test), status: "not_run", seconds: 0, message };
}

/** What one scan answers is one batch; each other test is one of its own, so that lanes can share them. */
function batches(tests: readonly ListedTest[]): Iterable<readonly ListedTest[]> {
    const found = new Map<string, ListedTest[]>();
    for (const test of tests) {
        const scanned =
            test.type === "contract" ||
            (test.type !== "assertion" && test.type !== "tripwires" && rowCondition(test) !== undefined);
        const key = scanned ? `scan of ${test.node}` : test.name;
        const batch = found.get(key) ?? [];
        found.set(key, [...batch, test]);
    }
    return found.values();
}

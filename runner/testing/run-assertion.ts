import type { CompiledAssertion } from "../compile/compiled.ts";
import { QueryError } from "../errors.ts";
import { describeModelError } from "../warehouse/model-error.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { describeFailures } from "./failure-message.ts";
import { brokenBy, brokenTest, passed, type Verdict } from "./verdict.ts";

/** Runs an assertion's query: every row that it returns is a failure. */
export async function runAssertion(
    warehouse: Warehouse,
    assertion: CompiledAssertion,
    signal: AbortSignal,
): Promise<Verdict> {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const { sql } = assertion;
    try {
        const [row] = await warehouse.rows(`select count(*) as failures from (\n${sql}\n)`);
        const failures = Number(row?.failures);
        if (failures === 0) return passed(seconds());
        const what = assertion.description || assertion.file;
        return {
            failures,
            seconds: seconds(),
            message: await describeFailures(warehouse, failures, what, sql),
        };
    } catch (error) {
        if (error instanceof QueryError && !signal.aborted) {
            return brokenTest(describeModelError(error, assertion), seconds());
        }
        return brokenBy(error, signal, seconds());
    }
}

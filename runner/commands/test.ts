import { selectNodes } from "../compile/select.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { auditGate } from "./audit-phase.ts";
import { checkLint } from "./check-lint.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { prepare } from "./prepare.ts";
import { recordRun } from "./record-run.ts";
import { testPhase } from "./run-phases.ts";

/**
 * Runs the tests of what was selected, by default all, and replays days for its models with `as_of`, against the last
 * good warehouse. Changes nothing.
 */
export async function test(
    options: CommonOptions & SelectionOptions,
    environment: Environment,
): Promise<RunRecord> {
    const prepared = await prepare(options, environment);
    const { project, compiled } = prepared;
    checkLint(project, compiled, environment.output.note);
    const names = selectNodes(compiled, options);
    return recordRun({ options, environment, prepared, command: "test", exclusive: false }, (context) =>
        withLastGood(project, async (warehouse) => {
            await testPhase(context, warehouse, names);
            await auditGate(context, warehouse, {
                names,
                isPartial: options.select.length > 0 || options.exclude.length > 0,
            });
        }),
    );
}

import { selectNodes } from "../compile/select.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { checkLint } from "./check-lint.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { prepare } from "./prepare.ts";
import { newRunId, recordRun } from "./record-run.ts";
import { testPhase } from "./run-phases.ts";

/** Runs the tests of what was selected, by default all, against the last good warehouse. Changes nothing. */
export async function test(
    options: CommonOptions & SelectionOptions,
    environment: Environment,
): Promise<RunRecord> {
    const { project, compiled, targetDirectory } = await prepare(options, environment);
    checkLint(project, compiled, environment.output.note);
    const names = selectNodes(compiled, options);
    const runId = newRunId(environment.now());
    return recordRun(
        { options, environment, project, compiled, targetDirectory, runId, command: "test" },
        (recorder) =>
            withLastGood(project, async (warehouse) => {
                const context = {
                    project,
                    compiled,
                    now: environment.now,
                    signal: environment.signal,
                    ...recorder,
                };
                await testPhase(context, warehouse, names);
            }),
    );
}

import { selectNodes } from "../compile/select.ts";
import { ConfigError } from "../errors.ts";
import type { PublishOverride } from "../publish/steps.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { withDirectoryLock } from "../warehouse/directory-lock.ts";
import { withConnections } from "./connections.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { prepare } from "./prepare.ts";
import { publishPhase, withPublishLock } from "./publish-phase.ts";
import { newRunId, recordRun } from "./record-run.ts";
import { buildable } from "./run.ts";

export interface PublishOptions extends CommonOptions, SelectionOptions {
    readonly overrides: readonly PublishOverride[];
}

/** Publishes the tagged models among the selected, by default all, from the last good warehouse. */
export async function publish(options: PublishOptions, environment: Environment): Promise<RunRecord> {
    const { project, compiled, targetDirectory } = await prepare(options, environment);
    const { target } = project;
    if (!target.publish) {
        throw new ConfigError([
            {
                file: "profiles.yml",
                key: `targets.${target.name}.publish`,
                message: `target ${target.name} publishes nowhere. Add a publish connection, or choose another with --target`,
            },
        ]);
    }
    const names = buildable(selectNodes(compiled, options), compiled);
    const runId = newRunId(environment.now());
    return withDirectoryLock(targetDirectory, { runId, command: "rebuild publish" }, () =>
        recordRun(
            { options, environment, project, targetDirectory, runId, command: "publish" },
            async (recorder) => {
                const context = {
                    project,
                    compiled,
                    now: environment.now,
                    signal: environment.signal,
                    ...recorder,
                };
                await withConnections(target, { ...context, root: project.root }, (connections) =>
                    withPublishLock({ ...context, connections, wanted: true, runId }, async (lock) => {
                        if (lock)
                            await publishPhase(context, { lock, names, runId, overrides: options.overrides });
                    }),
                );
            },
        ),
    );
}

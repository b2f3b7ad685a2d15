import { ConfigError } from "../errors.ts";
import type { Target } from "../project/project.ts";
import type { RunRecord } from "../status/artifacts.ts";
import { type OpenPublish, withConnections } from "./connections.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { type PublishLock, withPublishLock } from "./publish-phase.ts";
import { type RunContext, recordRun } from "./record-run.ts";

export interface PublisherContext extends RunContext {
    readonly lock: PublishLock;
}

/** A recorded command that swaps: both locks are held while the callback works. */
export async function withPublisher(
    options: CommonOptions & Partial<SelectionOptions>,
    environment: Environment,
    command: string,
    work: (context: PublisherContext) => Promise<void>,
): Promise<RunRecord> {
    const prepared = await prepare(options, environment);
    const { project } = prepared;
    requirePublish(project.target);
    return recordRun({ options, environment, prepared, command, exclusive: true }, (context) =>
        withConnections(project.target, { ...context, root: project.root }, (connections) =>
            withPublishLock({ ...context, connections, wanted: true }, async (lock) => {
                if (lock) await work({ ...context, lock });
            }),
        ),
    );
}

/** The publish connection for a command that only looks. */
export async function withPublishConnection<T>(
    options: CommonOptions,
    environment: Environment,
    callback: (connection: OpenPublish, prepared: Prepared) => Promise<T>,
): Promise<T> {
    const prepared = await prepare(options, environment);
    const { project } = prepared;
    requirePublish(project.target);
    const settings = { root: project.root, note: environment.output.note, signal: environment.signal };
    return withConnections(project.target, settings, ({ publish }) => callback(publish!, prepared));
}

function requirePublish(target: Target): void {
    if (target.publish) return;
    throw new ConfigError([
        {
            file: "profiles.yml",
            key: `targets.${target.name}.publish`,
            message: `target ${target.name} publishes nowhere. Add a publish connection, or choose another target with --target`,
        },
    ]);
}

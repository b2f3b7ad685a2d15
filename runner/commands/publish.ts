import { selectNodes } from "../compile/select.ts";
import { planPublish } from "../publish/plan-publish.ts";
import { resumePublish } from "../publish/resume.ts";
import type { PublishOverride } from "../publish/steps.ts";
import { type RunRecord, toSnakeCase } from "../status/artifacts.ts";
import { formatBytes } from "../status/format.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { publishPhase, swapPhase } from "./publish-phase.ts";
import { newRunId } from "./record-run.ts";
import { buildable } from "./run.ts";
import { withPublishConnection, withPublisher } from "./with-publisher.ts";

export interface PublishOptions extends CommonOptions, SelectionOptions {
    readonly overrides: readonly PublishOverride[];
}

/** Publishes the tagged models among the selected, by default all, from the last good warehouse. */
export async function publish(options: PublishOptions, environment: Environment): Promise<RunRecord> {
    return withPublisher(options, environment, "publish", async (context) => {
        const names = buildable(selectNodes(context.compiled, options), context.compiled);
        await publishPhase(context, { ...context, names, overrides: options.overrides });
    });
}

/** Swaps in the build that an earlier publish finished and could not swap. */
export async function resume(options: CommonOptions, environment: Environment): Promise<RunRecord> {
    return withPublisher(options, environment, "publish --resume", (context) =>
        swapPhase(context, "swap of a finished build", () =>
            resumePublish({
                ...context.lock,
                run: { id: context.runId, startedAt: environment.now() },
                report: context.report,
                signal: context.signal,
            }),
        ),
    );
}

/** Prints what a publish would do, every statement of DDL included; the server has accepted them, and undone them. */
export async function dryRun(options: PublishOptions, environment: Environment): Promise<void> {
    await withPublishConnection(options, environment, async (connection, { project, compiled }) => {
        const names = buildable(selectNodes(compiled, options), compiled);
        const now = environment.now();
        const plan = await withLastGood(project, (warehouse) =>
            planPublish({
                connection,
                warehouse,
                compiled,
                names,
                run: { id: newRunId(now), startedAt: now },
                overrides: new Set(options.overrides),
                signal: environment.signal,
            }),
        );
        const { data, note } = environment.output;
        if (options.json) return data(JSON.stringify(toSnakeCase(plan), null, 2));
        for (const { name, kind, action, columns, bytes } of plan.objects) {
            const size = bytes === undefined ? "" : `, about ${formatBytes(bytes)}`;
            data(`-- ${action}: ${kind} ${name}, ${columns} columns${size}`);
        }
        if (plan.statements.length === 0) data("-- no DDL");
        data(plan.statements.map((statement) => `${statement.trim().replace(/;$/, "")};`).join("\n\n"));
        for (const message of plan.notes) note(`WARN ${message}`);
    });
}

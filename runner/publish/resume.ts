import { PublishError } from "../errors.ts";
import { withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { withClient } from "../postgres/connect.ts";
import { qualified } from "./live-object.ts";
import { ensurePrivateSchemas, hasMeta } from "./meta.ts";
import type { PublishOptions } from "./publish.ts";
import { schemas } from "./schemas.ts";
import { prepareSession } from "./session.ts";
import { type SwapOutcome, swap } from "./swap.ts";
import type { SwapPlan } from "./swap-plan.ts";

export interface ResumeResult extends SwapOutcome {
    readonly generation: number;
    /** What came into service, as `schema.name`. */
    readonly objects: readonly string[];
}

/** Swaps in a finished build whose run did not get its locks in time; refuses when anything has changed since. */
export async function resumePublish(
    options: Pick<PublishOptions, "connection" | "run" | "lock" | "report" | "signal">,
): Promise<ResumeResult> {
    const { connection, lock, run, signal } = options;
    const session = { url: connection.url, signal };
    if (!lock) {
        return withAdvisoryLock({ ...session, applicationName: `rebuild lock ${run.id}` }, (own) =>
            resumePublish({ ...options, lock: own }),
        );
    }
    return withClient({ ...session, applicationName: `rebuild publish ${run.id}` }, async (client) => {
        await prepareSession(client);
        const { rows } = (await hasMeta(client))
            ? await client.query<{ plan: SwapPlan }>(
                  `select plan from ${schemas.meta}.generation where state = 'built' and kind = 'publish'
                   and coalesce(to_jsonb(generation) ->> 'mode', 'swap') = 'swap' order by id desc limit 1`,
              )
            : { rows: [] };
        const plan = rows[0]?.plan;
        if (!plan) {
            throw new PublishError(
                "preflight",
                "There is no finished build that waits for its swap. A run leaves one when it does not get its locks in time; the next run replaces it.",
            );
        }
        // It may be of an earlier version.
        await ensurePrivateSchemas(client);
        const { swapTimeoutSeconds: timeoutSeconds, url } = connection;
        const outcome = await swap({ ...options, client, url, plan, lock, timeoutSeconds });
        return { ...outcome, generation: plan.generation, objects: plan.objects.map(qualified) };
    });
}

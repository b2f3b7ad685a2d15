import { setTimeout as sleep } from "node:timers/promises";
import type { RunPhase } from "../status/phase-track.ts";
import { withConnections } from "./connections.ts";
import { withPublishLock } from "./publish-phase.ts";
import type { RunContext } from "./record-run.ts";

/** A status is written at most once a second: each phase is there for a little longer than that. */
const phaseMs = 1100;

/** TEST_MODE: the locks, the phases and their statuses of a run, for whoever watches runs; nothing else of it. */
export async function rehearse(context: RunContext, phases: readonly RunPhase[]): Promise<void> {
    const { project, track, note, signal } = context;
    await withConnections(project.target, { ...context, root: project.root }, (connections) =>
        withPublishLock({ ...context, connections, wanted: true }, async () => {
            note("test mode: nothing is extracted, built or published");
            await sleep(phaseMs, undefined, { signal });
            for (const [index, { name, steps }] of phases.entries()) {
                const step =
                    (["extract", "refresh", "publish"] as const).find((one) => steps.has(one)) ?? "build";
                track.jump(index, step, `test mode: ${name}`);
                note(`test mode: phase ${index + 1} of ${phases.length}, ${name} (${track.progress.status})`);
                await sleep(phaseMs, undefined, { signal });
            }
        }),
    );
}

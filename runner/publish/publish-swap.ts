import { build } from "./build.ts";
import { buildName } from "./build-target.ts";
import { readFilling } from "./filled-views.ts";
import { indexTables, refreshViews } from "./finish.ts";
import { failGeneration } from "./generations.ts";
import { loadTable } from "./load.ts";
import { type PublishOutcome, type PublishWork, verifyLoaded } from "./publish-work.ts";
import { refreshKept } from "./refresh-kept.ts";
import { schemas } from "./schemas.ts";
import { swap } from "./swap.ts";
import { type ObjectFacts, planSwap } from "./swap-plan.ts";

/** Builds what has changed beside what is in service, and swaps it in. */
export async function publishSwap(work: PublishWork): Promise<PublishOutcome> {
    const { options, client, step, division, results } = work;
    const { connection, warehouse, lock, report, signal, run } = options;
    await step("build");
    const built = await build({
        ...work,
        publication: division.changed,
        surveys: division.surveys,
        runId: run.id,
        keepGenerations: connection.keepGenerations,
    });
    try {
        await step("load");
        for (const { object } of built.tables) {
            results.start(object);
            const { maxBytesPerSecond } = connection;
            const { rows: totalRows } = division.surveys.get(object.model)!;
            const settings = { client, warehouse, totalRows, maxBytesPerSecond, report, signal };
            await loadTable(object, buildName(object), settings);
            results.end(object);
            await step("loaded");
        }
        await step("index");
        await indexTables(client, built);
        await step("refresh");
        for (const { object } of built.views) results.start(object);
        await refreshViews(client, built);
        const facts = new Map<string, ObjectFacts>();
        for (const { object } of built.views) {
            results.end(object);
            const { rows, filling } = await readFilling(client, buildName(object));
            const hashes = division.hashes.get(object.model)!;
            facts.set(object.model, { rows, filling, valueCounts: null, ...hashes });
        }
        await step("verify");
        const loads = built.tables.map((target) => ({ target, relation: buildName(target.object) }));
        for (const [model, fact] of await verifyLoaded(work, loads)) facts.set(model, fact);
        const kept = await refreshKept(work);
        const plan = await planSwap(client, built, facts, connection.keepGenerations);
        await client.query(
            `update ${schemas.meta}.generation set state = 'built', plan = $2 where id = $1 and state = 'building'`,
            [built.generation, JSON.stringify(plan)],
        );
        await step("built");
        await step("swap");
        const { url, swapTimeoutSeconds: timeoutSeconds } = connection;
        const outcome = await swap({ client, url, plan, lock, timeoutSeconds, report, signal });
        const rowCounts = new Map([...facts].map(([model, { rows }]) => [model, rows!]));
        return {
            ...outcome,
            generation: built.generation,
            rowCounts: new Map([...kept.rowCounts, ...rowCounts]),
        };
    } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        results.fail(problem);
        await failGeneration(client, built.generation, problem).catch(() => undefined);
        throw error;
    }
}

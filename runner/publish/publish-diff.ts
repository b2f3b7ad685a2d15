import { quoteName } from "../names.ts";
import { type PostgresClient, withTransaction } from "../postgres/connect.ts";
import { dropBuild } from "./build.ts";
import type { BuildTarget } from "./build-target.ts";
import { liveName } from "./build-target.ts";
import { type DiffPlan, type DiffTable, diffBlock } from "./diff-block.ts";
import { failGeneration, openGeneration } from "./generations.ts";
import { type LiveObject, qualified } from "./live-object.ts";
import { loadTable } from "./load.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import { countRows, type PublishOutcome, type PublishWork, verifyLoaded } from "./publish-work.ts";
import type { PublishedTable } from "./published.ts";
import { refreshKept } from "./refresh-kept.ts";
import { schemas } from "./schemas.ts";
import { tryBlock } from "./swap.ts";
import { readSides } from "./swap-plan.ts";

/**
 * Changes what differs in place: rows come into a temporary table, are verified there, and one statement makes the
 * tables in service hold them and refreshes the views. No DDL but of temporary tables, which nobody else sees.
 */
export async function publishDiff(work: PublishWork): Promise<PublishOutcome> {
    const { options, client, step, division, results, overrides, fingerprints, preflight } = work;
    const { connection, warehouse, report, signal, run } = options;
    const { tables, views } = division.changed;
    await step("build");
    const generation = await withTransaction(client, {}, async () => {
        await ensurePrivateSchemas(client);
        await dropBuild(client);
        await forgetOldUndo(client, connection.keepGenerations);
        const runId = run.id;
        return openGeneration(client, {
            ...{ kind: "publish", mode: "diff", runId, overrides: [...overrides], fingerprints },
        });
    });
    try {
        const targets = tables.map((object): BuildTarget<PublishedTable> & { readonly live: LiveObject } => ({
            object,
            live: preflight.live.get(qualified(object))!,
            columns: new Map(object.columns.map(({ name, postgresType }) => [name, postgresType])),
        }));
        await step("load");
        const staged = new Map<string, string>();
        for (const [position, { object }] of targets.entries()) {
            results.start(object);
            const relation = await createStaged(client, position, liveName(object));
            staged.set(object.name, relation);
            const { maxBytesPerSecond } = connection;
            const { rows: totalRows } = division.surveys.get(object.model)!;
            const settings = { client, warehouse, totalRows, maxBytesPerSecond, report, signal };
            await loadTable(object, relation, settings);
            await client.query(`analyze ${relation}`);
            results.end(object);
            await step("loaded");
        }
        await step("verify");
        const loads = targets.map((target) => ({ target, relation: staged.get(target.object.name)! }));
        const facts = await verifyLoaded(work, loads);
        const kept = await refreshKept(work);
        const sides = await readSides(client, [...tables, ...views]);
        const sideOf = (object: { readonly schema: string; readonly name: string }) => {
            const { oid, fingerprint } = sides.get(qualified(object))!;
            return { schema: object.schema, name: object.name, oid, fingerprint };
        };
        const plan: DiffPlan = {
            generation,
            tables: targets.map(
                ({ object, live }): DiffTable => ({
                    ...sideOf(object),
                    key: object.key,
                    columns: live.columns.map(({ name }) => name),
                    staged: staged.get(object.name)!,
                    ...facts.get(object.model)!,
                }),
            ),
            views: views.map(sideOf),
        };
        await step("built");
        await step("swap");
        for (const view of views) results.start(view);
        const outcome = await applyDiff({ ...options, client, plan });
        for (const view of views) results.end(view);
        const rowCounts = new Map(kept.rowCounts);
        for (const object of [...tables, ...views])
            rowCounts.set(object.model, await countRows(client, liveName(object)));
        return { ...outcome, generation, rowCounts };
    } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        results.fail(problem);
        await failGeneration(client, generation, problem).catch(() => undefined);
        throw error;
    }
}

/** An empty temporary table with the columns of the one in service. */
export async function createStaged(client: PostgresClient, position: number, live: string): Promise<string> {
    const name = `pg_temp.${quoteName(`rebuild_staged_${position}`)}`;
    await client.query(
        `drop table if exists ${name}; create temp table rebuild_staged_${position} (like ${live})`,
    );
    return name;
}

interface ApplyOptions extends Pick<PublishWork["options"], "connection" | "lock" | "report" | "signal"> {
    readonly client: PostgresClient;
    readonly plan: DiffPlan;
}

/** Changes the rows and puts the generation in service, in one statement; afterwards the planner hears of it. */
export async function applyDiff({ client, plan, lock, connection, ...options }: ApplyOptions) {
    const { generation, tables, views } = plan;
    await client.query(
        `update ${schemas.meta}.generation set state = 'built', plan = $2 where id = $1 and state = 'building'`,
        [generation, JSON.stringify(plan)],
    );
    const { url, swapTimeoutSeconds: timeoutSeconds } = connection;
    const oids = [...tables, ...views].map(({ oid }) => oid);
    const text = diffBlock(plan, lock);
    const leftover = "the next run changes the rows";
    const settings = { client, url, generation, block: () => text, oids, timeoutSeconds, leftover };
    const outcome = await tryBlock({ ...options, ...settings, statementTimeout: "0" });
    for (const object of [...tables, ...views]) await client.query(`analyze ${liveName(object)}`);
    return outcome;
}

/** Of changes in place, those of as many generations as swaps are kept can be undone. */
async function forgetOldUndo(client: PostgresClient, keepGenerations: number): Promise<void> {
    // The one to come is kept too, from the swap on.
    await client.query(
        `with forgotten as (
             update ${schemas.meta}.generation set plan = null where mode = 'diff' and plan is not null and swapped_at is not null
             and id not in (select id from ${schemas.meta}.generation where mode = 'diff' and swapped_at is not null
                            order by id desc limit $1)
             returning id)
         delete from ${schemas.meta}.undo using forgotten where undo.generation = forgotten.id`,
        [Math.max(keepGenerations - 1, 0)],
    );
}

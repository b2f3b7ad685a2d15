import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { AdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withTransaction } from "../postgres/connect.ts";
import { dropBuild } from "./build.ts";
import { liveName } from "./build-target.ts";
import type { DiffPlan, DiffTable } from "./diff-block.ts";
import { failGeneration, openGeneration } from "./generations.ts";
import { qualified } from "./live-object.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import { applyDiff, createStaged } from "./publish-diff.ts";
import { countRows } from "./publish-work.ts";
import type { RollbackOptions, RollbackResult } from "./rollback.ts";
import type { RollbackStep } from "./rollback-route.ts";
import { schemas } from "./schemas.ts";
import { readSides } from "./swap-plan.ts";

/** Undoes changes in place, the latest first, by a change in place: it can be undone as well. */
export async function rollbackDiff(
    client: PostgresClient,
    options: RollbackOptions & { readonly lock: AdvisoryLock },
    { to, undone }: Extract<RollbackStep, { readonly mode: "diff" }>,
): Promise<RollbackResult> {
    const plans = await readPlans(client, [...undone.values()].flat());
    const tables = distinct(plans.flatMap((plan) => plan.tables)).filter(({ oid }) => undone.has(oid));
    const views = distinct(plans.flatMap((plan) => plan.views));
    const sides = await readSides(client, [...tables, ...views]);
    const replaced = [...tables, ...views].filter(
        (object) => sides.get(qualified(object))?.oid !== object.oid,
    );
    if (replaced.length > 0) {
        throw new PublishError(
            "preflight",
            `${replaced.map(qualified).join(", ")} is another object than the one whose rows were changed: its changes cannot be undone.`,
        );
    }
    const generation = await withTransaction(client, {}, async () => {
        await ensurePrivateSchemas(client);
        await dropBuild(client);
        return openGeneration(client, { kind: "rollback", mode: "diff", runId: options.run.id });
    });
    try {
        const staged: DiffTable[] = [];
        for (const [position, table] of tables.entries()) {
            const relation = await createStaged(client, position, liveName(table));
            await client.query(`insert into ${relation} select * from ${liveName(table)}`);
            for (const id of undone.get(table.oid)!) await undoRows(client, table, relation, id);
            await client.query(`analyze ${relation}`);
            const { fingerprint } = sides.get(qualified(table))!;
            const rows = await countRows(client, relation);
            staged.push({ ...table, fingerprint, staged: relation, rows, content: null, valueCounts: null });
        }
        const plan: DiffPlan = {
            generation,
            restores: to,
            tables: staged,
            views: views.map((view) => ({ ...view, fingerprint: sides.get(qualified(view))!.fingerprint })),
        };
        const outcome = await applyDiff({ ...options, client, plan });
        return { ...outcome, generation, objects: [...tables, ...views].map(qualified) };
    } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        await failGeneration(client, generation, problem).catch(() => undefined);
        throw error;
    }
}

/** Takes what one generation inserted or changed out of the rows, and puts in what it deleted or changed. */
async function undoRows(
    client: PostgresClient,
    table: DiffTable,
    relation: string,
    generation: number,
): Promise<void> {
    const row = `(undo.row_text::${liveName(table)})`;
    const from = `${schemas.meta}.undo as undo where undo.generation = ${generation} and undo.oid = ${table.oid}`;
    const matches = table.key
        .map((name) => `${row}.${quoteName(name)} = staged.${quoteName(name)}`)
        .join(" and ");
    await client.query(
        `delete from ${relation} as staged using ${from} and undo.change in ('insert', 'update') and ${matches}`,
    );
    await client.query(
        `insert into ${relation} select (${row}).* from ${from} and undo.change in ('delete', 'update')`,
    );
}

async function readPlans(
    client: PostgresClient,
    generations: readonly number[],
): Promise<readonly DiffPlan[]> {
    const { rows } = await client.query<{ plan: DiffPlan }>(
        `select plan from ${schemas.meta}.generation where id = any ($1::bigint[]) order by id desc`,
        [generations],
    );
    return rows.map(({ plan }) => plan);
}

/** One an object; of views those of the latest plan come first, and each after what it reads. */
function distinct<T extends { readonly oid: number }>(objects: readonly T[]): readonly T[] {
    return [...new Map(objects.map((object) => [object.oid, object])).values()];
}

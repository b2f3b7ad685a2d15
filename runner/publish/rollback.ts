import { PublishError } from "../errors.ts";
import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient, withTransaction } from "../postgres/connect.ts";
import { dropBuild } from "./build.ts";
import { type ArchivedObject, openGeneration, readArchived } from "./generations.ts";
import { type LiveObject, qualified, readLiveObjects } from "./live-object.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import type { PublishOptions } from "./publish.ts";
import { readHistory } from "./read-history.ts";
import { rollbackDiff } from "./rollback-diff.ts";
import type { RollbackStep } from "./rollback-route.ts";
import { sameReaders } from "./same-readers.ts";
import { schemas } from "./schemas.ts";
import { prepareSession } from "./session.ts";
import { type SwapOutcome, swap } from "./swap.ts";
import { liveSide, noFacts, planArchive, readSides, type SwapPlan } from "./swap-plan.ts";

export interface RollbackOptions
    extends Pick<PublishOptions, "connection" | "run" | "lock" | "report" | "signal"> {
    /** The generation whose content is to be in service again. Default: the one before the latest swap. */
    readonly to?: number;
}

export interface RollbackResult extends SwapOutcome {
    /** Number of the rollback itself: it is a generation too, and can be rolled back. */
    readonly generation: number;
    /** What is in service again, as `schema.name`. */
    readonly objects: readonly string[];
}

/**
 * Puts a generation back into service: objects that were swapped out by the same swap, rows that were changed in place
 * by another change in place. Who may read stays as it is now. Where both are needed it is done step by step, each
 * to a generation that was in service; what follows a step is looked up anew.
 */
export async function rollback(options: RollbackOptions): Promise<RollbackResult> {
    const { connection, lock, run, signal, report } = options;
    const session = { url: connection.url, signal };
    if (!lock) {
        return withAdvisoryLock({ ...session, applicationName: `rebuild lock ${run.id}` }, (own) =>
            rollback({ ...options, lock: own }),
        );
    }
    return withClient({ ...session, applicationName: `rebuild rollback ${run.id}` }, async (client) => {
        await prepareSession(client);
        const { target, route } = await findRoute(client, options.to);
        if (route.length === 0) throw nothing(`what generation ${target} held is in service.`, options.to);
        if (route.length > 1) {
            const places = route.map(({ to }) => to).join(", then ");
            const message = `swaps and changes in place are undone one after the other: to generation ${places}`;
            report({ type: "note", level: "info", message });
        }
        const results: RollbackResult[] = [];
        for (let [step] = route; step; [step] = (await findRoute(client, target)).route) {
            signal.throwIfAborted();
            const locked = { ...options, lock };
            const result =
                step.mode === "diff"
                    ? rollbackDiff(client, locked, step)
                    : rollbackSwap(client, locked, step);
            results.push(await result);
        }
        return {
            ...results.at(-1)!,
            objects: [...new Set(results.flatMap(({ objects }) => objects))],
            attempts: results.reduce((sum, { attempts }) => sum + attempts, 0),
            milliseconds: Math.max(...results.map(({ milliseconds }) => milliseconds)),
        };
    });
}

async function rollbackSwap(
    client: PostgresClient,
    options: RollbackOptions & { readonly lock: AdvisoryLock },
    { oids }: Extract<RollbackStep, { readonly mode: "swap" }>,
): Promise<RollbackResult> {
    const { url, swapTimeoutSeconds: timeoutSeconds } = options.connection;
    const plan = await planRollback(client, options, oids);
    const outcome = await swap({ ...options, client, url, plan, timeoutSeconds });
    return { ...outcome, generation: plan.generation, objects: plan.objects.map(qualified) };
}

async function planRollback(
    client: PostgresClient,
    { connection, run }: RollbackOptions,
    oids: ReadonlySet<number>,
): Promise<SwapPlan> {
    const chosen = (await readArchived(client)).filter(({ oid }) => oids.has(oid));
    const live = await readLiveObjects(client, chosen);
    await refuseStrandedViews(client, chosen, [...live.values()]);
    const generation = await withTransaction(client, {}, async () => {
        await dropBuild(client);
        await ensurePrivateSchemas(client);
        const id = await openGeneration(client, { kind: "rollback", runId: run.id });
        await client.query(`update ${schemas.meta}.generation set state = 'built' where id = $1`, [id]);
        return id;
    });
    const archived = await readLiveObjects(
        client,
        chosen.map(({ location, name }) => ({ schema: location, name })),
    );
    const sides = await readSides(
        client,
        chosen.map(({ location, name }) => ({ schema: location, name })),
    );
    const others = await planArchive(
        client,
        connection.keepGenerations,
        new Set(chosen.map(({ oid }) => oid)),
    );
    const plan: SwapPlan = {
        generation,
        archived: others,
        objects: chosen.map((object) => {
            const { schema, name, kind, location, rows, model } = object;
            const current = live.get(qualified(object));
            return {
                ...{ ...noFacts, schema, name, kind, rows, model },
                incoming: sides.get(`${location}.${name}`)!,
                outgoing: current ? liveSide(current) : null,
                afterwards: current ? sameReaders(archived.get(`${location}.${name}`)!, current) : [],
                declared: current ? [] : null,
            };
        }),
    };
    // By it a later rollback knows what was in service.
    await client.query(`update ${schemas.meta}.generation set plan = $2 where id = $1`, [
        generation,
        JSON.stringify(plan),
    ]);
    return plan;
}

interface Route {
    readonly target: number;
    readonly route: readonly RollbackStep[];
}

/** By default to the generation that was in service before the latest. */
async function findRoute(client: PostgresClient, to: number | undefined): Promise<Route> {
    const { history, ids } = await readHistory(client);
    const target = to ?? ids[1] ?? 0;
    const route = history.find(target);
    if (route) return { target, route };
    const kept = history.findAll();
    throw nothing(
        (ids.length === 0 ? "nothing was published yet. " : `in service is generation ${ids[0]}. `) +
            (kept.length > 0
                ? `Kept are: ${kept.join(", ")}.`
                : "No earlier generation is kept (keep_generations in profiles.yml)."),
        to,
    );
}

function nothing(reason: string, to: number | undefined): PublishError {
    const where = to === undefined ? "" : ` generation ${to}`;
    return new PublishError("preflight", `There is nothing to roll back to${where}: ${reason}`);
}

/** A view that is not rolled back, since it is new, would read tables out of service. */
async function refuseStrandedViews(
    client: PostgresClient,
    chosen: readonly ArchivedObject[],
    outgoing: readonly LiveObject[],
): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
        `select distinct view.oid::regclass::text as name
         from pg_depend join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_rewrite.oid = pg_depend.objid
         join pg_class as view on view.oid = pg_rewrite.ev_class
         where pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = any ($1::oid[])
           and view.oid <> all ($1::oid[]) and view.relnamespace::regnamespace::text !~ '^rebuild_archive'`,
        [outgoing.map(({ oid }) => oid)],
    );
    if (rows.length === 0) return;
    throw new PublishError(
        "preflight",
        `These views read what would go out of service, and have no earlier version: ${rows.map(({ name }) => name).join(", ")}. ` +
            `Drop them first to go back to ${chosen.map(qualified).join(", ")} as they were.`,
    );
}

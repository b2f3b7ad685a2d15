import { PublishError } from "../errors.ts";
import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient, withTransaction } from "../postgres/connect.ts";
import { dropBuild } from "./build.ts";
import {
    type ArchivedObject,
    type Generation,
    openGeneration,
    readArchived,
    readGenerations,
} from "./generations.ts";
import { type LiveObject, qualified, readLiveObjects } from "./live-object.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import type { PublishOptions } from "./publish.ts";
import { rollbackDiff } from "./rollback-diff.ts";
import { sameReaders } from "./same-readers.ts";
import { schemas } from "./schemas.ts";
import { prepareSession } from "./session.ts";
import { type SwapOutcome, swap } from "./swap.ts";
import { noFacts, planArchive, readSides, type SwapPlan } from "./swap-plan.ts";

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

/** Puts what an earlier swap archived back into service, by the same swap; who may read stays as it is now. */
export async function rollback(options: RollbackOptions): Promise<RollbackResult> {
    const { connection, lock, run, signal } = options;
    const session = { url: connection.url, signal };
    if (!lock) {
        return withAdvisoryLock({ ...session, applicationName: `rebuild lock ${run.id}` }, (own) =>
            rollback({ ...options, lock: own }),
        );
    }
    return withClient({ ...session, applicationName: `rebuild rollback ${run.id}` }, async (client) => {
        await prepareSession(client);
        const undone = await chooseUndone(client, options.to);
        if (undone.every(({ mode }) => mode === "diff")) {
            return rollbackDiff(client, { ...options, lock: lock as AdvisoryLock }, undone);
        }
        const plan = await planRollback(client, options, undone);
        const { swapTimeoutSeconds: timeoutSeconds } = connection;
        const outcome = await swap({
            ...options,
            client,
            url: connection.url,
            plan,
            lock: lock as AdvisoryLock,
            timeoutSeconds,
        });
        return { ...outcome, generation: plan.generation, objects: plan.objects.map(qualified) };
    });
}

async function planRollback(
    client: PostgresClient,
    { connection, run }: RollbackOptions,
    undone: readonly Generation[],
): Promise<SwapPlan> {
    const chosen = await chooseArchived(client, undone);
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
    const sides = await readSides(client, [
        ...chosen.map(({ location, name }) => ({ schema: location, name })),
        ...live.values(),
    ]);
    const others = await planArchive(
        client,
        connection.keepGenerations,
        new Set(chosen.map(({ oid }) => oid)),
    );
    return {
        generation,
        archived: others,
        objects: chosen.map((object) => {
            const { schema, name, kind, location, rows, model } = object;
            const current = live.get(qualified(object));
            return {
                ...{ ...noFacts, schema, name, kind, rows, model },
                incoming: sides.get(`${location}.${name}`)!,
                outgoing: sides.get(qualified(object)) ?? null,
                afterwards: current ? sameReaders(archived.get(`${location}.${name}`)!, current) : [],
                declared: current ? [] : null,
            };
        }),
    };
}

/** The generations after the wanted one, the latest first: all of them were kept, and all in the same way. */
async function chooseUndone(client: PostgresClient, to: number | undefined): Promise<readonly Generation[]> {
    const generations = await readGenerations(client);
    const swapped = generations.filter(({ swappedAt }) => swappedAt !== null);
    const kept = new Set(generations.length > 0 ? await readUndoable(client) : []);
    const latest = swapped[0];
    const target = to ?? swapped[1]?.id ?? 0;
    const undone = swapped.filter(({ id }) => id > target);
    const isOneKind = new Set(undone.map(({ mode }) => mode)).size === 1;
    if (isOneKind && undone.every(({ id }) => kept.has(id))) return undone;
    const possible = swapped.filter(({ id }) => {
        const later = swapped.filter((other) => other.id > id);
        const isOne = new Set(later.map(({ mode }) => mode)).size === 1;
        return isOne && later.every((other) => kept.has(other.id));
    });
    throw new PublishError(
        "preflight",
        `There is nothing to roll back to${to === undefined ? "" : ` generation ${to}`}: ` +
            (latest === undefined
                ? "nothing was published yet."
                : `in service is generation ${latest.id}. `) +
            (undone.length > 1 && !isOneKind
                ? "Between lie swaps and changes in place, which are not undone together. "
                : "") +
            (possible.length > 0
                ? `Kept are: ${possible.map(({ id }) => id).join(", ")}.`
                : "No earlier generation is kept (keep_generations in profiles.yml)."),
    );
}

/** Generations whose swap or changes can be undone. */
async function readUndoable(client: PostgresClient): Promise<readonly number[]> {
    const swaps = (await readArchived(client)).map(({ replacedBy }) => replacedBy);
    const { rows } = await client.query<{ id: number }>(
        `select id::int as id from ${schemas.meta}.generation as generation
         where to_jsonb(generation) ->> 'mode' = 'diff' and plan is not null and swapped_at is not null`,
    );
    return [...swaps, ...rows.map(({ id }) => id)];
}

/** For each name the object that was in service before the undone swaps. */
async function chooseArchived(
    client: PostgresClient,
    undone: readonly Generation[],
): Promise<readonly ArchivedObject[]> {
    const ids = new Set(undone.map(({ id }) => id));
    const chosen = new Map<string, ArchivedObject>();
    // The latest set comes first: an earlier one, nearer to the target, overwrites it.
    for (const object of await readArchived(client)) {
        if (ids.has(object.replacedBy)) chosen.set(qualified(object), object);
    }
    return [...chosen.values()];
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

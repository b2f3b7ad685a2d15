import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import { type AdvisoryLock, withAdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient, withTransaction } from "../postgres/connect.ts";
import { dropBuild } from "./build.ts";
import { policyStatement } from "./build-statements.ts";
import { liveName } from "./build-target.ts";
import { type ArchivedObject, openGeneration, readArchived, readGenerations } from "./generations.ts";
import { grantStatement } from "./grants.ts";
import { type LiveObject, qualified, readLiveObjects } from "./live-object.ts";
import type { PublishOptions } from "./publish.ts";
import { schemas } from "./schemas.ts";
import { prepareSession } from "./session.ts";
import { type SwapOutcome, swap } from "./swap.ts";
import { planArchive, publicationStatements, readSides, type SwapPlan } from "./swap-plan.ts";

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
        const plan = await planRollback(client, options);
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
    { connection, run, to }: RollbackOptions,
): Promise<SwapPlan> {
    const chosen = await chooseArchived(client, to);
    const live = await readLiveObjects(client, chosen);
    await refuseStrandedViews(client, chosen, [...live.values()]);
    const generation = await withTransaction(client, {}, async () => {
        await dropBuild(client);
        const id = await openGeneration(client, "rollback", run.id, []);
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
                ...{ schema, name, kind, rows, model },
                incoming: sides.get(`${location}.${name}`)!,
                outgoing: sides.get(qualified(object)) ?? null,
                afterwards: current ? sameReaders(archived.get(`${location}.${name}`)!, current) : [],
                declared: current ? [] : null,
            };
        }),
    };
}

/** For each name the object that was in service right after generation `to`. */
async function chooseArchived(
    client: PostgresClient,
    to: number | undefined,
): Promise<readonly ArchivedObject[]> {
    const generations = await readGenerations(client);
    const archived = generations.length > 0 ? await readArchived(client) : [];
    const sets = new Set(archived.map(({ replacedBy }) => replacedBy));
    const swapped = generations.filter(({ swappedAt }) => swappedAt !== null).map(({ id }) => id);
    const latest = swapped[0];
    const target = to ?? swapped[1] ?? 0;
    const undone = swapped.filter((id) => id > target);
    if (latest === undefined || undone.length === 0 || !undone.every((id) => sets.has(id))) {
        const possible = swapped.filter((id) => {
            const later = swapped.filter((other) => other > id);
            return later.length > 0 && later.every((other) => sets.has(other));
        });
        throw new PublishError(
            "preflight",
            `There is nothing to roll back to${to === undefined ? "" : ` generation ${to}`}: ` +
                (latest === undefined
                    ? "nothing was published yet."
                    : `in service is generation ${latest}. `) +
                (possible.length > 0
                    ? `Kept are: ${possible.join(", ")}.`
                    : "No earlier generation is kept (keep_generations in profiles.yml)."),
        );
    }
    const chosen = new Map<string, ArchivedObject>();
    // The latest set comes first: an earlier one, nearer to the target, overwrites it.
    for (const object of archived) if (object.replacedBy > target) chosen.set(qualified(object), object);
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
           and view.oid <> all ($1::oid[])`,
        [outgoing.map(({ oid }) => oid)],
    );
    if (rows.length === 0) return;
    throw new PublishError(
        "preflight",
        `These views read what would go out of service, and have no earlier version: ${rows.map(({ name }) => name).join(", ")}. ` +
            `Drop them first to go back to ${chosen.map(qualified).join(", ")} as they were.`,
    );
}

/** Rights given or taken since the object went out of service hold for it too. */
function sameReaders(archived: LiveObject, current: LiveObject): readonly string[] {
    const table = liveName(current);
    const columns = new Set(archived.columns.map(({ name }) => name));
    const isTable = current.kind === "r";
    const grantees = new Set(
        archived.grants.map(({ grantee }) => grantee).filter((name) => name !== archived.owner),
    );
    const memberships = isTable ? publicationStatements(current) : [];
    const security = isTable
        ? [
              ...archived.policies.map(({ name }) => `drop policy ${quoteName(name)} on ${table}`),
              ...current.policies.map((policy) => policyStatement(table, policy)),
              `alter table ${table} ${current.rowSecurity ? "enable" : "disable"} row level security`,
              `alter table ${table} ${current.forceRowSecurity ? "" : "no "}force row level security`,
          ]
        : [];
    return [
        ...(archived.owner === current.owner
            ? []
            : [
                  `alter ${isTable ? "table" : "materialized view"} ${table} owner to ${quoteName(current.owner)}`,
              ]),
        ...[...grantees].map(
            (name) =>
                `revoke all on table ${table} from ${name === null ? "public" : quoteName(name)} cascade`,
        ),
        ...current.grants
            .filter(
                ({ grantee, column }) =>
                    grantee !== current.owner && (column === null || columns.has(column)),
            )
            .map((grant) => grantStatement(table, grant)),
        ...security,
        ...memberships,
        ...exchangeStatistics(archived, current),
    ];
}

/** Both sides may use the same names: the one that comes back waits in the build schema. */
function exchangeStatistics(archived: LiveObject, current: LiveObject): readonly string[] {
    const move = (name: string, from: string, to: string) =>
        `alter statistics ${from}.${quoteName(name)} set schema ${to}`;
    return [
        ...archived.statistics.map(({ name, schema }) => move(name, schema, schemas.build)),
        ...current.statistics.map(({ name, schema }) => move(name, schema, schemas.archive)),
        ...archived.statistics.map(({ name }) => move(name, schemas.build, quoteName(current.schema))),
    ];
}

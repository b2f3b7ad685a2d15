import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import { type PostgresClient, withTransaction } from "../postgres/connect.ts";
import { carriedStatistics, carryOver, createTable, createView } from "./build-statements.ts";
import { type BuildTarget, buildName } from "./build-target.ts";
import { closeSchema, openToOwners } from "./close-schema.ts";
import { dropOldGenerations, dropStatements } from "./drop-old.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { openGeneration } from "./generations.ts";
import { describeGrants, expectedGrants, grantStatement, revokeDefaults } from "./grants.ts";
import { qualified, readLiveObjects } from "./live-object.ts";
import { ensurePrivateSchemas } from "./meta.ts";
import { breakingChange, compareColumns, type Preflight } from "./preflight.ts";
import type { Publication, PublishedTable, PublishedView } from "./published.ts";
import { schemas } from "./schemas.ts";
import type { PublishOverride } from "./steps.ts";
import type { Survey } from "./survey.ts";

export interface Build {
    /** Its number is the fencing token. */
    readonly generation: number;
    readonly tables: readonly BuildTarget<PublishedTable>[];
    readonly views: readonly BuildTarget<PublishedView>[];
}

export interface BuildOptions {
    readonly client: PostgresClient;
    readonly publication: Publication;
    readonly preflight: Preflight;
    /** By model. */
    readonly surveys: ReadonlyMap<string, Survey>;
    readonly runId: string;
    readonly keepGenerations: number;
    readonly overrides: ReadonlySet<PublishOverride>;
    readonly fingerprints?: Fingerprints;
}

/**
 * Creates the empty tables and views of a generation, in one transaction: on hosts with a REST API every
 * transaction with DDL makes it read the whole schema again.
 */
export function build(options: BuildOptions): Promise<Build> {
    return withTransaction(options.client, {}, () => createObjects(options));
}

/** The statements of `build`, within a transaction of the caller. */
export async function createObjects(options: BuildOptions): Promise<Build> {
    const { client, publication, preflight, surveys, overrides } = options;
    // Leftovers may be held for a moment by the statement of a worker that has died.
    await client.query("set local lock_timeout = '60s'");
    await ensurePrivateSchemas(client);
    await dropBuild(client);
    await dropOldGenerations(client, options.keepGenerations);
    for (const schema of preflight.missingSchemas) {
        await client.query(`create schema ${quoteName(schema)}`);
        await client.query(closeSchema(schema));
    }
    await openToOwners(client, [...preflight.live.values()]);
    const tables = publication.tables.map((object) => ({
        object,
        live: preflight.live.get(qualified(object)),
        columns: new Map(object.columns.map(({ name, postgresType }) => [name, postgresType])),
    }));
    await runAll(
        client,
        tables.map((table) => createTable(table, surveys.get(table.object.model)!)),
    );
    const views: BuildTarget<PublishedView>[] = [];
    for (const view of publication.views) views.push(await buildView(client, view, options));
    const targets: readonly BuildTarget[] = [...tables, ...views];
    await runAll(client, targets.flatMap(owner));
    await runAll(client, [revokeDefaults]);
    await runAll(client, targets.flatMap(carryOver));
    await runAll(client, targets.flatMap(carriedStatistics));
    await runAll(
        client,
        targets.flatMap((target) =>
            expectedGrants(target).map((grant) => grantStatement(buildName(target.object), grant)),
        ),
    );
    await checkGrants(client, targets);
    const { runId, fingerprints } = options;
    const generation = await openGeneration(client, {
        ...{ kind: "publish", runId, overrides: [...overrides] },
        ...(fingerprints && { fingerprints }),
    });
    return { generation, tables, views };
}

/** Drops what a run that died has left behind; never with CASCADE. */
export async function dropBuild(client: PostgresClient): Promise<void> {
    const { rows } = await client.query<{ name: string; kind: string }>(
        `select relname as name, relkind::text as kind from pg_catalog.pg_class
         where relnamespace = '${schemas.build}'::regnamespace and relkind in ('r', 'm', 'v', 'p', 'f', 'S')
           and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
                           and deptype in ('a', 'i') and refclassid = 'pg_class'::regclass)`,
    );
    await runAll(client, dropStatements(rows.map((row) => ({ ...row, schema: schemas.build }))));
    await client.query(
        `update ${schemas.meta}.generation set state = 'failed', problem = coalesce(problem, 'it ended before its swap')
         where state in ('building', 'built')`,
    );
    for (const table of ["object", "undo"]) {
        await client.query(
            `delete from ${schemas.meta}.${table} as record
             where not exists (select from pg_catalog.pg_class where pg_class.oid = record.oid)`,
        );
    }
}

async function buildView(
    client: PostgresClient,
    view: PublishedView,
    { preflight, publication, overrides }: BuildOptions,
): Promise<BuildTarget<PublishedView>> {
    const live = preflight.live.get(qualified(view));
    try {
        await client.query(createView(view, live));
    } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new PublishError("load", `The view of the model ${view.model} cannot be created: ${reason}`, {
            cause,
        });
    }
    const columns = (await readLiveObjects(client, [{ schema: schemas.build, name: view.name }])).get(
        `${schemas.build}.${view.name}`,
    )!.columns;
    if (live) {
        const { breaking } = compareColumns(live.columns, columns);
        if (breaking.length > 0 && !overrides.has("columns")) {
            throw new PublishError(
                "preflight",
                breaking.map((change) => breakingChange(view, change)).join("\n"),
            );
        }
    }
    await checkDependencies(client, view, { live: preflight.live, publication });
    return { object: view, live, columns: new Map(columns.map(({ name, type }) => [name, type])) };
}

/** A view that read an object in service would read the old one for ever after the swap. */
async function checkDependencies(
    client: PostgresClient,
    view: PublishedView,
    { live, publication }: Pick<BuildOptions, "publication"> & Pick<Preflight, "live">,
): Promise<void> {
    const { rows } = await client.query<{ name: string; schema: string; oid: number }>(
        `select distinct class.relname as name, space.nspname as schema, class.oid::int8::float8 as oid
         from pg_depend as depend
         join pg_rewrite as rule on depend.classid = 'pg_rewrite'::regclass and rule.oid = depend.objid
         join pg_class as class on depend.refclassid = 'pg_class'::regclass and class.oid = depend.refobjid
         join pg_namespace as space on space.oid = class.relnamespace
         where rule.ev_class = '${buildName(view)}'::regclass and class.oid <> rule.ev_class`,
    );
    // What it refers to and what stays in service is read there.
    const built = new Set([...publication.tables, ...publication.views].map(({ name }) => name));
    const isKept = ({ name }: { readonly name: string }) => view.reads.includes(name) && !built.has(name);
    const replaced = new Set([...live.values()].filter((object) => !isKept(object)).map(({ oid }) => oid));
    const wrong = rows.filter(
        ({ schema, oid }) =>
            replaced.has(oid) || schema.startsWith(schemas.archive) || schema === schemas.meta,
    );
    if (wrong.length > 0) {
        throw new PublishError(
            "preflight",
            `The view of the model ${view.model} reads ${wrong.map(qualified).join(", ")}, which this publish replaces: it would ` +
                'read the old one for ever. Name it by {{ref "..."}}, which leads to the new one.',
        );
    }
}

function owner({ object, live }: BuildTarget): readonly string[] {
    const kind = object.kind === "table" ? "table" : "materialized view";
    return live ? [`alter ${kind} ${buildName(object)} owner to ${quoteName(live.owner)}`] : [];
}

/** Nobody reads but who could read before or was declared. */
async function checkGrants(client: PostgresClient, targets: readonly BuildTarget[]): Promise<void> {
    const built = await readLiveObjects(
        client,
        targets.map(({ object }) => ({ schema: schemas.build, name: object.name })),
    );
    for (const target of targets) {
        const { owner: holder, grants } = built.get(`${schemas.build}.${target.object.name}`)!;
        const found = describeGrants(grants.filter(({ grantee }) => grantee !== holder));
        const wanted = describeGrants(expectedGrants(target));
        if (found !== wanted) {
            throw new PublishError(
                "preflight",
                `The grants of ${qualified(target.object)} cannot be carried over exactly. Wanted: ${wanted || "none"}; got: ${found || "none"}.`,
            );
        }
    }
}

export async function runAll(client: PostgresClient, statements: readonly string[]): Promise<void> {
    if (statements.length > 0) await client.query(statements.join(";\n"));
}

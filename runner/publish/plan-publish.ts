import { type PostgresClient, withClient } from "../postgres/connect.ts";
import { createObjects } from "./build.ts";
import { buildName } from "./build-target.ts";
import { divide } from "./divide.ts";
import { qualified } from "./live-object.ts";
import { looserColumns } from "./looser-columns.ts";
import { plannedIndexes } from "./planned-indexes.ts";
import { preflight } from "./preflight.ts";
import { neededBytes, refuseWithoutRoom } from "./preflight-room.ts";
import type { PublishOptions } from "./publish.ts";
import { describePublication, modelsToPublish, type Published } from "./published.ts";
import { prepareSession } from "./session.ts";
import { swapBlock } from "./swap-block.ts";
import { planSwap } from "./swap-plan.ts";

export interface PublishPlan {
    readonly objects: readonly {
        /** `schema.name`. */
        readonly name: string;
        readonly kind: "table" | "view";
        readonly replaces: boolean;
        readonly action: "create" | "replace" | "change rows" | "refresh" | "keep";
        readonly columns: number;
        /** About what it will take beside what is in service. Absent: nothing. */
        readonly bytes?: number;
    }[];
    /** Changes that readers may notice. */
    readonly notes: readonly string[];
    /** Every statement with DDL that a publish would send, in order. */
    readonly statements: readonly string[];
}

export type PlanOptions = Pick<
    PublishOptions,
    "connection" | "warehouse" | "compiled" | "names" | "run" | "overrides" | "signal"
>;

/**
 * What publishing would do. The objects are created in a transaction that is rolled back, so that the server
 * itself has accepted every statement of the build; nothing is locked that a reader uses.
 */
export async function planPublish(options: PlanOptions): Promise<PublishPlan> {
    const { connection, compiled, names, warehouse, run, signal } = options;
    const overrides = options.overrides ?? new Set();
    const models = modelsToPublish(compiled, names);
    if (models.length === 0) return { objects: [], notes: [], statements: [] };
    return withClient(
        { url: connection.url, applicationName: `rebuild plan ${run.id}`, signal },
        async (client) => {
            await prepareSession(client);
            const publication = await describePublication(models, connection.schema, warehouse);
            const found = await preflight(client, publication, overrides, connection);
            const division = await divide(client, warehouse, publication, found);
            const notes = [...found.notes, ...looserColumns(division, found, overrides)];
            await refuseWithoutRoom(client, division, found, connection.maxDatabaseBytes);
            const bytes = neededBytes(division, found.live);
            const sizeOf = (object: Published) => {
                const size = bytes.get(qualified(object));
                return size === undefined ? {} : { bytes: Math.round(size) };
            };
            const kept = [...division.keptTables, ...division.keptViews].map(({ object, live }) => ({
                ...{
                    name: qualified(object),
                    kind: object.kind,
                    replaces: true,
                    columns: live.columns.length,
                },
                action: object.kind === "table" ? ("keep" as const) : ("refresh" as const),
            }));
            const { changed, mode } = division;
            if (mode === "diff" || changed.tables.length + changed.views.length === 0) {
                const objects = [...changed.tables, ...changed.views].map((object) => ({
                    ...{ name: qualified(object), kind: object.kind, replaces: true },
                    columns: found.live.get(qualified(object))!.columns.length,
                    ...sizeOf(object),
                    action: object.kind === "table" ? ("change rows" as const) : ("refresh" as const),
                }));
                return { objects: [...objects, ...kept], notes, statements: [] };
            }
            const statements: string[] = [];
            const recording = recordStatements(client, statements);
            const { keepGenerations } = connection;
            await client.query("begin");
            try {
                const built = await createObjects({
                    client: recording,
                    publication: changed,
                    surveys: division.surveys,
                    preflight: found,
                    runId: run.id,
                    keepGenerations,
                    overrides,
                });
                const targets = [...built.tables, ...built.views];
                statements.push(
                    ...targets.flatMap((target) => plannedIndexes(target).map(({ statement }) => statement)),
                );
                statements.push(
                    ...built.views.map(({ object }) => `refresh materialized view ${buildName(object)}`),
                );
                const plan = await planSwap(client, built, new Map(), keepGenerations);
                statements.push(swapBlock(plan, { processId: client.processId, key: { group: 0, id: 0 } }));
                return {
                    objects: [
                        ...targets.map(({ object, live, columns }) => ({
                            name: qualified(object),
                            kind: object.kind,
                            replaces: live !== undefined,
                            action: live ? ("replace" as const) : ("create" as const),
                            columns: columns.size,
                            ...sizeOf(object),
                        })),
                        ...kept,
                    ],
                    notes,
                    statements,
                };
            } finally {
                await client.query("rollback");
            }
        },
    );
}

function recordStatements(client: PostgresClient, statements: string[]): PostgresClient {
    return {
        ...client,
        query: (sql, values) => {
            if (/^\s*(create|alter|drop|grant|revoke|comment|do)\b/i.test(sql)) statements.push(sql.trim());
            return client.query(sql, values);
        },
    };
}

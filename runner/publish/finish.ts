import { PublishError } from "../errors.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type Build, runAll } from "./build.ts";
import { buildName, plannedIndexes } from "./build-statements.ts";

/** Indexes and statistics of the loaded tables. */
export async function indexTables(client: PostgresClient, { tables }: Build): Promise<void> {
    for (const target of tables) {
        for (const index of plannedIndexes(target))
            await createIndex(client, index.statement, target.object.model);
        await client.query(`analyze ${buildName(target.object)}`);
    }
}

/** Fills the views, each after what it reads. A view that was just created has no statistics. */
export async function refreshViews(client: PostgresClient, { views }: Build): Promise<void> {
    for (const target of views) {
        const { model } = target.object;
        await client.query(`refresh materialized view ${buildName(target.object)}`).catch((cause: Error) => {
            throw new PublishError("load", `The view of the model ${model} failed: ${cause.message}`, {
                cause,
            });
        });
        for (const index of plannedIndexes(target)) await createIndex(client, index.statement, model);
        await runAll(client, [`analyze ${buildName(target.object)}`]);
    }
}

async function createIndex(client: PostgresClient, statement: string, model: string): Promise<void> {
    await client.query(statement).catch((cause: Error) => {
        throw new PublishError(
            "load",
            `The model ${model} cannot be indexed: ${cause.message}\n${statement}`,
            { cause },
        );
    });
}

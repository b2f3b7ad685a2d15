import { withTransaction } from "../postgres/connect.ts";
import { liveName } from "./build-target.ts";
import type { Kept } from "./divide.ts";
import { readGenerations } from "./generations.ts";
import { countRows, type PublishOutcome, type PublishWork } from "./publish-work.ts";
import type { Published } from "./published.ts";

/**
 * Refreshes the views over tables that have not changed: what they say may depend on the day. Concurrently, so that
 * readers read on, and in one transaction, so that they see all of them as of one moment.
 */
export async function refreshKept({
    client,
    division,
}: Pick<PublishWork, "client" | "division">): Promise<Pick<PublishOutcome, "generation" | "rowCounts">> {
    const { keptTables, keptViews } = division;
    if (keptViews.length > 0) {
        await withTransaction(client, {}, async () => {
            for (const { object } of keptViews) {
                await client.query(`refresh materialized view concurrently ${liveName(object)}`);
            }
        });
    }
    const rowCounts = new Map<string, number>();
    for (const { object } of [...keptTables, ...keptViews] as readonly Kept<Published>[]) {
        rowCounts.set(object.model, await countRows(client, liveName(object)));
    }
    const generations = keptTables.length > 0 ? await readGenerations(client) : [];
    const inService = generations.find(({ state }) => state === "live");
    return { generation: inService?.id ?? 0, rowCounts };
}

import { withTransaction } from "../postgres/connect.ts";
import { liveName } from "./build-target.ts";
import { findFilled, readFilling, recordFilling } from "./filled-views.ts";
import { readGenerations } from "./generations.ts";
import { countRows, type PublishOutcome, type PublishWork } from "./publish-work.ts";

/**
 * Refreshes the views over tables that have not changed, where that may change them: what they say may depend on the
 * day. Concurrently, so that readers read on, and in one transaction, so that they see all of them as of one moment.
 */
export async function refreshKept({
    client,
    division,
}: Pick<PublishWork, "client" | "division">): Promise<Pick<PublishOutcome, "generation" | "rowCounts">> {
    const { keptTables, keptViews } = division;
    const rowCounts = new Map<string, number>();
    for (const { object } of keptTables)
        rowCounts.set(object.model, await countRows(client, liveName(object)));
    if (keptViews.length > 0) {
        const tableOids = keptTables.map(({ live }) => live.oid);
        const { filled, stale, unpopulated } = await findFilled(client, keptViews, tableOids);
        for (const { object, rows } of filled) rowCounts.set(object.model, rows);
        await withTransaction(client, {}, async () => {
            for (const { object, live } of stale) {
                // Nobody could read it.
                const way = unpopulated.has(live.oid) ? "" : "concurrently";
                await client.query(`refresh materialized view ${way} ${liveName(object)}`);
                const filling = await readFilling(client, liveName(object));
                await recordFilling(client, live.oid, filling);
                rowCounts.set(object.model, filling.rows);
            }
        });
    }
    const generations = keptTables.length > 0 ? await readGenerations(client) : [];
    const inService = generations.find(({ state }) => state === "live");
    return { generation: inService?.id ?? 0, rowCounts };
}

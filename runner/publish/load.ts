import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import { type PostgresClient, withTransaction } from "../postgres/connect.ts";
import { copyIn } from "../postgres/copy-in.ts";
import { toQueryError } from "../postgres/query-failure.ts";
import type { Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { qualified } from "./live-object.ts";
import type { PublishedTable } from "./published.ts";

export interface LoadOptions {
    readonly client: PostgresClient;
    readonly warehouse: Warehouse;
    readonly totalRows: number;
    readonly maxBytesPerSecond?: number | undefined;
    readonly report: Report;
    readonly signal: AbortSignal;
}

/**
 * Copies a model into an empty table. Truncate and COPY share a transaction, so that rows can be written
 * frozen: a reader whose snapshot is older than the swap then sees them all instead of none.
 */
export async function loadTable(
    table: PublishedTable,
    relation: string,
    { client, warehouse, totalRows, maxBytesPerSecond, report, signal }: LoadOptions,
): Promise<number> {
    const columns = table.columns.map(({ name }) => quoteName(name)).join(", ");
    let reported = 0;
    try {
        const { rows } = await withTransaction(client, {}, async () => {
            await client.query(`truncate ${relation}`);
            return copyIn(
                client,
                `copy ${relation} (${columns}) from stdin with (format binary, freeze)`,
                warehouse.readRaw(`select ${columns} from main.${quoteName(table.model)}`),
                {
                    signal,
                    ...(maxBytesPerSecond !== undefined && { maxBytesPerSecond }),
                    onProgress: ({ rows, bytes }) => {
                        const now = Date.now();
                        if (now - reported < 100) return;
                        reported = now;
                        report({ type: "progress", name: qualified(table), rows, bytes, totalRows });
                    },
                },
            );
        });
        return rows;
    } catch (cause) {
        if (signal.aborted) throw cause;
        const { message } = toQueryError(cause);
        throw new PublishError("load", `Loading ${table.model} into ${relation} failed: ${message}`, {
            cause,
        });
    }
}

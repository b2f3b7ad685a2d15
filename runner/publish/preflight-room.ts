import { PublishError } from "../errors.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { formatBytes } from "../status/format.ts";
import type { Division } from "./divide.ts";
import { estimateSize } from "./estimate-size.ts";
import { qualified } from "./live-object.ts";
import type { Preflight } from "./preflight.ts";

/**
 * What is built lies beside what is in service until the swap. A server does not tell how full its disk is: what the
 * database may reach is a setting, without which nothing is refused.
 */
export async function refuseWithoutRoom(
    client: PostgresClient,
    division: Division,
    { live }: Preflight,
    maxDatabaseBytes: number | undefined,
): Promise<void> {
    if (maxDatabaseBytes === undefined) return;
    const needs = neededBytes(division, live);
    const needed = [...needs.values()].reduce((sum, bytes) => sum + bytes, 0);
    const { rows } = await client.query<{ size: number }>(
        "select pg_database_size(current_database())::float8 as size",
    );
    const { size } = rows[0]!;
    if (size + needed <= maxDatabaseBytes) return;
    const largest = [...needs].sort(([, one], [, other]) => other - one).slice(0, 3);
    throw new PublishError(
        "preflight",
        `There is no room to publish: the database has ${formatBytes(size)}, the new generation needs about ${formatBytes(needed)} more ` +
            `(${largest.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(", ")}; estimated from the models' rows and columns ` +
            `and from what is in service), and max_database_bytes allows ${formatBytes(maxDatabaseBytes)}: ` +
            "lower keep_generations, make room, or raise it where the disk has more.",
    );
}

/** By name: a table's as estimated, or as it grows; a view's as it is, at first as the smallest that it reads. */
export function neededBytes(
    { changed, surveys }: Division,
    live: Preflight["live"],
): ReadonlyMap<string, number> {
    const needs = new Map<string, number>();
    const byName = new Map<string, number>();
    for (const table of changed.tables) {
        const survey = surveys.get(table.model)!;
        const old = live.get(qualified(table));
        const grown = old && old.rows > 0 ? (old.bytes * survey.rows) / old.rows : 0;
        needs.set(qualified(table), Math.max(grown, estimateSize(table, survey)));
        byName.set(table.name, needs.get(qualified(table))!);
    }
    for (const view of changed.views) {
        const smallest = Math.min(...view.reads.flatMap((name) => byName.get(name) ?? []));
        const known = Number.isFinite(smallest) ? smallest : 0;
        needs.set(qualified(view), live.get(qualified(view))?.bytes ?? known);
        byName.set(view.name, needs.get(qualified(view))!);
    }
    return needs;
}

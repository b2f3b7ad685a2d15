import { listGenerations } from "../publish/list-generations.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import { formatBytes, formatCount, formatTable } from "../status/format.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { withPublishConnection } from "./with-publisher.ts";

/** Lists what was published and rolled back, the latest first, with what still lies on the server. */
export async function generations(options: CommonOptions, environment: Environment): Promise<void> {
    const found = await withPublishConnection(options, environment, (connection) =>
        listGenerations({ connection, signal: environment.signal }),
    );
    const { data } = environment.output;
    if (options.json) return data(JSON.stringify(toSnakeCase(found), null, 2));
    if (found.length === 0) return data("Nothing has been published to this database yet.");
    const sum = (values: readonly (number | null)[]) =>
        values.reduce<number>((all, one) => all + (one ?? 0), 0);
    data(
        formatTable(
            ["generation", "kind", "state", "run", "swapped at", "objects", "rows", "size"],
            found.map(({ id, kind, state, runId, swappedAt, objects }) => [
                String(id),
                kind,
                state,
                runId,
                swappedAt ?? "never",
                String(objects.length),
                formatCount(sum(objects.map(({ rows }) => rows))),
                formatBytes(sum(objects.map(({ bytes }) => bytes))),
            ]),
        ),
    );
}

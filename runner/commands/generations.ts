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
            [
                ...[
                    "generation",
                    "kind",
                    "mode",
                    "state",
                    "run",
                    "swapped at",
                    "sources of",
                    "source",
                    "models",
                ],
                ...["objects", "rows", "size"],
            ],
            found.map(({ id, kind, mode, state, runId, swappedAt, snapshotAt, source, models, objects }) => [
                ...[
                    String(id),
                    kind,
                    mode,
                    state,
                    runId,
                    toSecond(swappedAt) ?? "never",
                    toSecond(snapshotAt) ?? "",
                ],
                // Enough of a hash to tell two apart; --json has it whole.
                ...[source, models].map((hash) => hash?.slice(0, 8) ?? ""),
                String(objects.length),
                formatCount(sum(objects.map(({ rows }) => rows))),
                formatBytes(sum(objects.map(({ bytes }) => bytes))),
            ]),
        ),
    );
}

/** UTC, as Postgres gives it in JSON. */
function toSecond(time: string | null): string | undefined {
    return time?.slice(0, 19).replace("T", " ");
}

import { withClient } from "../postgres/connect.ts";
import type { PublishConnection } from "../project/project.ts";
import { type Generation, readGenerations } from "./generations.ts";

/** All publishes and rollbacks that the database remembers, newest first. */
export function listGenerations({
    connection,
    signal,
}: {
    readonly connection: Extract<PublishConnection, { readonly type: "postgres" }>;
    readonly signal: AbortSignal;
}): Promise<readonly Generation[]> {
    return withClient(
        { url: connection.url, applicationName: "rebuild generations", signal },
        readGenerations,
    );
}

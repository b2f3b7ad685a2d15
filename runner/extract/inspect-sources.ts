import { withClient } from "../postgres/connect.ts";
import type { Project } from "../project/project.ts";
import type { FilesSource, PostgresSource } from "./extraction.ts";
import { planSources } from "./source-catalog.ts";

/** A source as it was found, without reading a row of it. */
export interface InspectedSource {
    readonly name: string;
    /** The server's estimate, where it has one. */
    readonly rows?: number;
    /** Optional columns that are not there. */
    readonly missingOptional: readonly string[];
}

/** Compares the declared sources with what the connection has; throws all differences together. */
export async function inspectSources(
    project: Project,
    connection: PostgresSource | FilesSource,
): Promise<readonly InspectedSource[]> {
    if (connection.type === "files")
        return project.sources.map(({ name }) => ({ name, missingOptional: [] }));
    const plans = await withClient({ url: connection.url, applicationName: "rebuild debug" }, (client) =>
        planSources(client, connection.schema, project.sources),
    );
    return plans.map(({ source, estimatedRows, columns }) => ({
        name: source.name,
        ...(estimatedRows !== undefined && { rows: estimatedRows }),
        missingOptional: columns.filter(({ transport }) => !transport).map(({ column }) => column.name),
    }));
}
